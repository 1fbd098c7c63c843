using System.Runtime.CompilerServices;

namespace Darkroom.Images.Jpeg;

/// <summary>
/// Decodes one Huffman table (ITU T.81, annex C): in one look-up both the symbol and the coefficient whose bits follow it, if together they are
/// short, which most are.
/// </summary>
internal sealed class HuffmanDecoder
{
    /// <summary>Bits that a look-up covers. With 11 the tables of a scan fit the first-level cache.</summary>
    public const int LookUpBits = 11;

    /// <summary>The run of a step that ends the block: from any place it leads behind the last coefficient.</summary>
    public const int EndOfBlock = 64;

    // Larger ones cannot come from 8-bit samples, and the output could not express them.
    private const int MaxDcCategory = 11;
    private const int MaxAcCategory = 10;

    private readonly int[] _steps = new int[1 << LookUpBits];
    private readonly ushort[] _symbols = new ushort[1 << LookUpBits];
    private readonly byte[] _values = new byte[256];

    // For each code length: the first code that is too large for it, and where its symbols begin, less its first code.
    private readonly int[] _ends = new int[17];
    private readonly int[] _offsets = new int[17];

    /// <summary>Whether a table has been read.</summary>
    public bool IsDefined { get; private set; }

    /// <summary>
    /// For the next <see cref="LookUpBits"/> bits, 0 if they do not hold a code and its value, or else: how many bits to skip (bits 0 to 7), how
    /// many zero coefficients come first (8 to 15), and the coefficient (16 to 31).
    /// </summary>
    public ReadOnlySpan<int> Steps => _steps;

    public void Undefine() => IsDefined = false;

    /// <param name="counts">How many codes there are of each length, 1 to 16.</param>
    /// <param name="values">The symbols, by code.</param>
    /// <param name="isDc">Whether the symbols are categories of DC differences rather than runs and categories.</param>
    /// <exception cref="NotTranscodableException">The table is invalid.</exception>
    public void Define(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> values, bool isDc)
    {
        foreach (var symbol in values)
            if (isDc ? symbol > MaxDcCategory : (symbol & 15) > MaxAcCategory)
                throw new NotTranscodableException(NotTranscodable.Damaged);

        Array.Clear(_steps);
        Array.Clear(_symbols);
        values.CopyTo(_values);
        var (code, next) = (0, 0);
        for (var length = 1; length <= 16; length++, code <<= 1)
        {
            _offsets[length] = next - code;
            for (var i = 0; i < counts[length - 1]; i++, next++, code++)
            {
                if (code >= 1 << length)
                    throw new NotTranscodableException(NotTranscodable.Damaged);
                if (length <= LookUpBits)
                    AddLookUps(code, length, values[next], isDc);
            }

            _ends[length] = code;
        }

        IsDefined = true;
    }

    /// <summary>The symbol that the next 16 bits begin with, and in the bits from 8 on the length of its code.</summary>
    /// <exception cref="NotTranscodableException">No code begins like this.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int next)
    {
        int found = _symbols[next >> (16 - LookUpBits)];
        return found != 0 ? found : FindLong(next);
    }

    private int FindLong(int next)
    {
        for (var length = LookUpBits + 1; length <= 16; length++)
        {
            var code = next >> (16 - length);
            if (code < _ends[length])
                return length << 8 | _values[code + _offsets[length]];
        }

        throw new NotTranscodableException(NotTranscodable.Damaged);
    }

    private void AddLookUps(int code, int length, int symbol, bool isDc)
    {
        var (run, category) = isDc ? (0, symbol) : (symbol >> 4, symbol & 15);
        var free = LookUpBits - length;
        var first = code << free;
        for (var rest = 0; rest < 1 << free; rest++)
        {
            _symbols[first + rest] = (ushort)(length << 8 | symbol);
            if (category == 0)
                // Without a coefficient: no DC difference, sixteen zeros, or the end of the block, whatever its run (in a progressive scan
                // the run has a meaning, and these steps are not used).
                _steps[first + rest] = length | (isDc ? 0 : run == 15 ? run : EndOfBlock) << 8;
            else if (category <= free)
                _steps[first + rest] = (length + category) | run << 8 | BitReader.Extend(rest >> (free - category), category) << 16;
        }
    }
}
