using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Darkroom.Images.Jpeg;

/// <summary>
/// Reads entropy-coded data bit by bit, the most significant bit of a byte first (ITU T.81, F.2.2.5), from a 64-bit window.
/// </summary>
/// <param name="bytes">The data without byte stuffing, followed by at least <see cref="Padding"/> bytes that belong to it no longer.</param>
/// <param name="start">Where to begin.</param>
internal ref struct BitReader(ReadOnlySpan<byte> bytes, int start)
{
    /// <summary>
    /// Bytes behind the data that may be read before the caller looks at <see cref="Position"/>: an MCU has at most ten blocks, a block at most
    /// 64 codes of 16 bits, each followed by at most 16 bits, and a word of eight bytes is read ahead.
    /// </summary>
    public const int Padding = 10 * 64 * 4 + 8;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _next = start;
    private ulong _window;
    private int _bits;

    /// <summary>The bit that comes next, counted from the start of the data.</summary>
    public readonly long Position => _next * 8L - _bits;

    /// <summary>Makes at least 32 bits available: a code and the value behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fill()
    {
        if (_bits >= 32)
            return;
        // The word's bits beyond the next whole byte are read again next time, to the same place.
        _window |= BinaryPrimitives.ReadUInt64BigEndian(_bytes[_next..]) >> _bits;
        _next += (63 - _bits) >> 3;
        _bits |= 56;
    }

    /// <summary>The next bits, 1 to 32, without consuming them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Peek(int count) => (int)(_window >> (64 - count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int count)
    {
        _window <<= count;
        _bits -= count;
    }

    /// <summary>The next bits, 1 to 16, as an unsigned number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Take(int count)
    {
        var value = Peek(count);
        Skip(count);
        return value;
    }

    /// <summary>The next bits, 0 to 32, as an unsigned number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong TakeAny(int count)
    {
        var value = _window >> 1 >> (63 - count);
        Skip(count);
        return value;
    }

    /// <summary>The next symbol of a Huffman table.</summary>
    /// <exception cref="NotTranscodableException">There is none.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int TakeSymbol(HuffmanDecoder table)
    {
        var found = table.Find(Peek(16));
        Skip(found >> 8);
        return found & 0xFF;
    }

    /// <summary>A value of a magnitude category, 0 to 15 (T.81, F.2.2.1, EXTEND): the lower half of the numbers stands for negative values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int TakeValue(int category) => category == 0 ? 0 : Extend(Take(category), category);

    public static int Extend(int number, int category) => number < 1 << (category - 1) ? number - (1 << category) + 1 : number;
}
