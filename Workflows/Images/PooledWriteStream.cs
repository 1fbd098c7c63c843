namespace Darkroom.Images;

/// <summary>Writes into a <see cref="PooledBuffer"/>. Also readable and seekable, because TIFF encoders patch their headers.</summary>
internal sealed class PooledWriteStream(PooledBuffer buffer) : Stream
{
    private int _position;

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => true;
    public override long Length => buffer.Length;

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = checked((int)value);
        }
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        buffer.WriteAt(_position, bytes);
        _position += bytes.Length;
    }

    public override void Write(byte[] bytes, int offset, int count) => Write(bytes.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        Write(bytes.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] bytes, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(bytes.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> destination)
    {
        var count = Math.Clamp(buffer.Length - _position, 0, destination.Length);
        buffer.Span.Slice(Math.Min(_position, buffer.Length), count).CopyTo(destination);
        _position += count;
        return count;
    }

    public override int Read(byte[] destination, int offset, int count) => Read(destination.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => buffer.Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();
}
