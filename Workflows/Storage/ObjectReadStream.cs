using Amazon.S3.Model;

namespace Darkroom.Storage;

/// <summary>The body of an object, with typed errors and a timeout for each read.</summary>
internal sealed class ObjectReadStream(string key, GetObjectResponse response, TimeSpan readTimeout) : Stream
{
    private readonly Stream _body = response.ResponseStream;
    private CancellationTokenSource _stall = new();
    private bool _hasFailed;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => response.ContentLength;
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_stall.TryReset())
        {
            _stall.Dispose();
            _stall = new CancellationTokenSource();
        }

        _stall.CancelAfter(readTimeout);
        var stall = _stall;
        await using var registration = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), stall);
        try
        {
            return await _body.ReadAsync(buffer, stall.Token);
        }
        catch (Exception e) when (StorageErrors.Map(key, e, cancellationToken) is { } mapped)
        {
            _hasFailed = true;
            throw mapped;
        }
        finally
        {
            stall.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        try
        {
            return _body.Read(buffer, offset, count);
        }
        catch (Exception e) when (StorageErrors.Map(key, e, CancellationToken.None) is { } mapped)
        {
            _hasFailed = true;
            throw mapped;
        }
    }

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stall.Dispose();
            DisposeResponse();
        }

        base.Dispose(disposing);
    }

    /// <summary>The SDK verifies the checksum of the bytes read when the response is disposed, and reports again what a read has reported.</summary>
    private void DisposeResponse()
    {
        try
        {
            response.Dispose();
        }
        catch (Exception e) when (StorageErrors.Map(key, e, CancellationToken.None) is { } mapped)
        {
            if (!_hasFailed)
                throw mapped;
        }
    }
}
