namespace Darkroom.Tests.Csv;

/// <summary>A generated stream of any length that holds nothing in memory and reports how many bytes have been read.</summary>
internal sealed class GeneratedStream(IEnumerable<byte[]> blocks, Action<long>? onRead = null) : Stream
{
    private readonly IEnumerator<byte[]> _blocks = blocks.GetEnumerator();
    private byte[] _block = [];
    private int _used;

    public long BytesTaken { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        while (_used == _block.Length)
        {
            if (!_blocks.MoveNext())
                return 0;
            (_block, _used) = (_blocks.Current, 0);
        }
        var count = Math.Min(buffer.Length, _block.Length - _used);
        _block.AsSpan(_used, count).CopyTo(buffer);
        _used += count;
        BytesTaken += count;
        onRead?.Invoke(BytesTaken);
        return count;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
