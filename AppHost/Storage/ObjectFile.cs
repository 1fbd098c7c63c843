using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// One object is one file: its bytes, then its metadata as JSON, the JSON's length, a mark. Bytes and metadata so appear in one
/// rename; a file without the mark at its end (the machine lost power while it was written) is no object.
/// </summary>
internal sealed class ObjectFile : IDisposable
{
    private const int FooterBytes = sizeof(int) + sizeof(long);
    private const int MostMetadata = 64 * 1024;
    private const long Mark = 0x314a424f4d524b44; // "DKRMOBJ1"

    private readonly SafeFileHandle _handle;

    private ObjectFile(SafeFileHandle handle, ObjectMetadata metadata, long length)
    {
        _handle = handle;
        Metadata = metadata;
        Length = length;
    }

    public ObjectMetadata Metadata { get; }

    /// <summary>Of the content alone.</summary>
    public long Length { get; }

    /// <summary>Null if there is none. What it then reads stays as it is, even if the key is written again meanwhile.</summary>
    public static ObjectFile? TryOpen(string path)
    {
        // A file that is not there is an ordinary answer: the check costs less than the exception.
        if (!File.Exists(path)) return null;
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
        if (file is null) handle.Dispose();
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
        BinaryPrimitives.WriteInt64LittleEndian(footer.AsSpan(json.Length + sizeof(int)), Mark);
        return footer;
    }

    public void Dispose() => _handle.Dispose();

    private static ObjectFile? TryRead(SafeFileHandle handle)
    {
        // Metadata is small: one read from the end nearly always holds all of it.
        var total = RandomAccess.GetLength(handle);
        Span<byte> tail = stackalloc byte[(int)Math.Min(total, 1024)];
        if (tail.Length < FooterBytes || RandomAccess.Read(handle, tail, total - tail.Length) != tail.Length) return null;

        var footer = tail[^FooterBytes..];
        var jsonLength = BinaryPrimitives.ReadInt32LittleEndian(footer);
        var length = total - FooterBytes - jsonLength;
        if (BinaryPrimitives.ReadInt64LittleEndian(footer[sizeof(int)..]) != Mark || jsonLength is <= 0 or > MostMetadata || length < 0) return null;

        scoped ReadOnlySpan<byte> json;
        if (jsonLength + FooterBytes <= tail.Length)
        {
            json = tail[^(jsonLength + FooterBytes)..^FooterBytes];
        }
        else
        {
            var whole = new byte[jsonLength];
            if (RandomAccess.Read(handle, whole, length) != whole.Length) return null;
            json = whole;
        }

        return JsonSerializer.Deserialize(json, StorageJson.Default.ObjectMetadata) is { } metadata ? new ObjectFile(handle, metadata, length) : null;
    }
}
