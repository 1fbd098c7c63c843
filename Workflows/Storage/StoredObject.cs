namespace Darkroom.Storage;

/// <summary>What was stored: the key, the number of bytes and their SHA-256.</summary>
public sealed record StoredObject(string Key, long Bytes, byte[] Sha256);

/// <summary>One object as a listing shows it.</summary>
public sealed record ListedObject(string Key, long Bytes, DateTimeOffset LastModified);
