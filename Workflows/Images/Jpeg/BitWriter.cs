using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Darkroom.Images.Jpeg;

/// <summary>Writes entropy-coded data with byte stuffing: a zero follows each byte of ones (ITU T.81, B.1.1.5).</summary>
/// <param name="output">Where to; its length is the limit.</param>
internal ref struct BitWriter(Span<byte> output)
{
    private const ulong HighBits = 0x8080808080808080;
    private const ulong Ones = 0x0101010101010101;

    private readonly Span<byte> _output = output;
    private ulong _window;
    private int _free = 64;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Writes the lowest bits of a code, at most 32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(ulong code, int count)
    {
        _free -= count;
        if (_free >= 0)
        {
            _window = _window << count | code;
            return;
        }

        var full = _window << (count + _free) | code >> -_free;
        // A byte of ones keeps its high bit, and loses it when one is added to it; others may do so too, which costs only time.
        if ((full & HighBits & ~(full + Ones)) == 0)
        {
            BinaryPrimitives.WriteUInt64BigEndian(_output[Length..], full);
            Length += 8;
        }
        else
            Length += WriteStuffed(_output[Length..], full, 8);

        _free += 64;
        _window = code;
    }

    /// <summary>Fills the last byte with ones and writes what is left.</summary>
    public void Finish()
    {
        var used = 64 - _free;
        var bytes = (used + 7) / 8;
        var filling = bytes * 8 - used;
        var rest = _window << filling | (1UL << filling) - 1;
        if (bytes > 0)
            Length += WriteStuffed(_output[Length..], rest << (64 - bytes * 8), bytes);
        (_window, _free) = (0, 64);
    }

    private static int WriteStuffed(Span<byte> output, ulong word, int bytes)
    {
        var length = 0;
        for (var i = 0; i < bytes; i++, word <<= 8)
        {
            var value = (byte)(word >> 56);
            output[length++] = value;
            if (value == 0xFF)
                output[length++] = 0;
        }

        return length;
    }
}
