using System.Buffers;

namespace Darkroom.Images;

/// <summary>
/// A growable contiguous buffer on pooled memory, used for downloaded files and encoded images so that a busy worker does not
/// allocate. The owner disposes it; streams and memory obtained from it are invalid afterwards.
/// </summary>
public sealed class PooledBuffer : IBufferWriter<byte>, IDisposable
{
    private byte[] _bytes;
    private bool _disposed;

    public PooledBuffer(int capacity = 64 * 1024) => _bytes = ArrayPool<byte>.Shared.Rent(Math.Max(capacity, 256));

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => Bytes.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => Bytes.AsMemory(0, Length);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Bytes.Length - Length);
        Length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureCapacity(Length + Math.Max(sizeHint, 1));
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Clear() => Truncate(0);

    /// <summary>Forgets all bytes from <paramref name="length"/> on.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
    }

    /// <summary>Writes at any position, growing the buffer as needed and zeroing any gap.</summary>
    internal void WriteAt(int position, ReadOnlySpan<byte> bytes)
    {
        EnsureCapacity(position + bytes.Length);
        if (position > Length)
            _bytes.AsSpan(Length, position - Length).Clear();
        bytes.CopyTo(_bytes.AsSpan(position));
        Length = Math.Max(Length, position + bytes.Length);
    }

    internal byte[] Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _bytes;
        }
    }

    private void EnsureCapacity(int capacity)
    {
        if (Bytes.Length >= capacity)
            return;
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(capacity, _bytes.Length * 2L), Array.MaxLength));
        Span.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Length = 0;
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }
}
