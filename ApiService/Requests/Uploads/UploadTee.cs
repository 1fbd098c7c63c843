using System.Security.Cryptography;
using Darkroom.Storage;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>Why a file could not be read completely.</summary>
internal enum UploadFault
{
    /// <summary>It exceeds the maximum file size.</summary>
    TooLarge,

    /// <summary>The body ends before the file does.</summary>
    Truncated,
}

/// <summary>
/// The stream of an incoming file: reading it also stores, counts and hashes the bytes. So validation sets the pace, and no more than
/// one part of the multipart upload is ever in memory.
/// </summary>
/// <remarks>To the reader, a fault looks like the end of the file: check <see cref="Fault"/> before using what was read.</remarks>
/// <param name="source">The incoming file.</param>
/// <param name="sink">Where to store it, or null to only hash it.</param>
/// <param name="maxBytes">The maximum file size, bytes.</param>
internal sealed class UploadTee(Stream source, ObjectUpload? sink, long maxBytes) : Stream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Why reading stopped early, or null if it did not.</summary>
    public UploadFault? Fault { get; private set; }

    public long Bytes { get; private set; }

    public byte[] Sha256 => _hash.GetCurrentHash();

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Fault is not null)
            return 0;
        var read = await ReadSourceAsync(buffer, cancellationToken);
        if (read == 0)
            return 0;
        Bytes += read;
        if (Bytes > maxBytes)
        {
            Fault = UploadFault.TooLarge;
            return 0;
        }

        _hash.AppendData(buffer.Span[..read]);
        if (sink is not null)
            await sink.WriteAsync(buffer[..read], cancellationToken);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Reads the rest, so that the hash and the stored object cover the whole file.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        while (await ReadAsync(buffer, cancellationToken) > 0)
        {
        }
    }

    private async ValueTask<int> ReadSourceAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await source.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception e) when (UploadForm.IsMalformed(e))
        {
            Fault = UploadFault.Truncated;
            return 0;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are read asynchronously.");
    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _hash.Dispose();
        base.Dispose(disposing);
    }
}
