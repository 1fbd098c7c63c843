using System.Buffers;
using Darkroom.Images;

namespace Darkroom.Tests.Images;

public sealed class PooledBufferTests
{
    [Fact]
    public void Bytes_survive_growth()
    {
        using var buffer = new PooledBuffer(16);
        var expected = Enumerable.Range(0, 100_000).Select(i => (byte)i).ToArray();
        foreach (var piece in expected.Chunk(777))
            buffer.Write(piece);
        Assert.Equal(expected, buffer.Span.ToArray());
    }

    [Fact]
    public void Gap_before_what_is_written_is_zeroed()
    {
        using (var used = new PooledBuffer(1_000))
            used.Write(Enumerable.Repeat((byte)0xAA, 1_000).ToArray());
        using var buffer = new PooledBuffer(1_000);
        buffer.WriteAt(100, [1]);
        Assert.All(buffer.Span[..100].ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Truncated_buffer_goes_on_from_there()
    {
        using var buffer = new PooledBuffer();
        buffer.Write<byte>([1, 2, 3, 4]);
        buffer.Truncate(2);
        buffer.Write<byte>([5]);
        Assert.Equal([1, 2, 5], buffer.Span.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Truncate(4));
    }

    [Fact]
    public void Disposed_buffer_cannot_be_read()
    {
        var buffer = new PooledBuffer();
        buffer.Dispose();
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.Memory);
        Assert.Throws<ObjectDisposedException>(() => buffer.GetMemory(1));
    }
}
