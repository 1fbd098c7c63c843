using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// An object is stored as one file: its content, its metadata as JSON, the JSON's length, and a magic number. A single rename thus
/// publishes content and metadata together. A file without the magic number at its end was cut short, for example by a power loss,
/// and is ignored.
/// </summary>
internal sealed class ObjectFile : IDisposable
{
    private const int FooterBytes = sizeof(int) + sizeof(long);
    private const int MaxMetadataBytes = 64 * 1024;
    private const long MagicNumber = 0x314a424f4d524b44; // "DKRMOBJ1"

    private readonly SafeFileHandle _handle;

    private ObjectFile(SafeFileHandle handle, ObjectMetadata metadata, long length)
    {
        _handle = handle;
        Metadata = metadata;
        Length = length;
    }

    public ObjectMetadata Metadata { get; }

    /// <summary>Length of the content, without metadata.</summary>
    public long Length { get; }

    /// <summary>Null if the object does not exist. An open file keeps its content even if the object is overwritten.</summary>
    public static ObjectFile? TryOpen(string path)
    {
        // Missing files are common, and the check is cheaper than the exception.
        if (!File.Exists(path))
            return null;
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (IOException e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        var file = TryRead(handle);
        if (file is null)
            handle.Dispose();
        return file;
    }

    public int Read(Span<byte> buffer, long offset) =>
        RandomAccess.Read(_handle, buffer[..(int)Math.Min(buffer.Length, Length - offset)], offset);

    public static byte[] Footer(ObjectMetadata metadata)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(metadata, StorageJson.Default.ObjectMetadata);
        var footer = new byte[json.Length + FooterBytes];
        json.CopyTo(footer, 0);
        BinaryPrimitives.WriteInt32LittleEndian(footer.AsSpan(json.Length), json.Length);
        BinaryPrimitives.WriteInt64LittleEndian(footer.AsSpan(json.Length + sizeof(int)), MagicNumber);
        return footer;
    }

    public void Dispose() => _handle.Dispose();

    private static ObjectFile? TryRead(SafeFileHandle handle)
    {
        // Metadata is small: a single read from the end nearly always covers it.
        var total = RandomAccess.GetLength(handle);
        Span<byte> tail = stackalloc byte[(int)Math.Min(total, 1024)];
        if (tail.Length < FooterBytes || RandomAccess.Read(handle, tail, total - tail.Length) != tail.Length)
            return null;

        var footer = tail[^FooterBytes..];
        var jsonLength = BinaryPrimitives.ReadInt32LittleEndian(footer);
        var length = total - FooterBytes - jsonLength;
        if (BinaryPrimitives.ReadInt64LittleEndian(footer[sizeof(int)..]) != MagicNumber || jsonLength is <= 0 or > MaxMetadataBytes || length < 0)
            return null;

        scoped ReadOnlySpan<byte> json;
        if (jsonLength + FooterBytes <= tail.Length)
        {
            json = tail[^(jsonLength + FooterBytes)..^FooterBytes];
        }
        else
        {
            var whole = new byte[jsonLength];
            if (RandomAccess.Read(handle, whole, length) != whole.Length)
                return null;
            json = whole;
        }

        return JsonSerializer.Deserialize(json, StorageJson.Default.ObjectMetadata) is { } metadata ? new ObjectFile(handle, metadata, length) : null;
    }
}

/// <summary>The metadata that is stored with an object.</summary>
internal sealed record ObjectMetadata
{
    public required string ETag { get; init; }
    public required DateTimeOffset LastModified { get; init; }

    /// <summary>Headers to return with the object, with lower-case names: content type and the like, and <c>x-amz-meta-*</c>.</summary>
    public required Dictionary<string, string> Headers { get; init; }

    public StoredChecksum? Checksum { get; init; }

    /// <summary>The multipart upload that created the object, so that a repeated completion can be recognized.</summary>
    public string? UploadId { get; init; }
}

/// <param name="Algorithm">In lower case, as in the header's name.</param>
/// <param name="Value">Base64, with the suffix <c>-N</c> if composed of the checksums of N parts.</param>
internal sealed record StoredChecksum(string Algorithm, string Value, bool Composite);

[JsonSerializable(typeof(ObjectMetadata))]
[JsonSerializable(typeof(PendingUpload))]
internal sealed partial class StorageJson : JsonSerializerContext;
