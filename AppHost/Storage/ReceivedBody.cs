namespace Darkroom.AppHost.Storage;

/// <summary>What a body turned out to be when every check on it had passed.</summary>
/// <param name="ETag">Without quotes. Its <c>-1</c> keeps clients from taking it for an MD5, which nobody here needs to pay for.</param>
internal sealed record ReceivedBody(string ETag, StoredChecksum? Checksum);
