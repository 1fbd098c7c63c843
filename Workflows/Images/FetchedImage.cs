namespace Darkroom.Images;

/// <summary>A file that was fetched and whose first bytes say it is an image. Owns its memory.</summary>
public sealed class FetchedImage(PooledBuffer buffer, ImageFormat format, byte[] sha256, Uri finalUri) : IDisposable
{
    public ImageFormat Format { get; } = format;

    public byte[] Sha256 { get; } = sha256;

    /// <summary>Where the last redirect led.</summary>
    public Uri FinalUri { get; } = finalUri;

    public int Length => buffer.Length;

    public ReadOnlyMemory<byte> Memory => buffer.Memory;

    /// <summary>A seekable stream over the bytes, valid until this is disposed.</summary>
    public Stream OpenRead() => buffer.OpenRead();

    public void Dispose() => buffer.Dispose();
}
