using System.Numerics;
using System.Runtime.CompilerServices;

namespace Darkroom.Images.Jpeg;

/// <summary>
/// The symbols of the output and the bits that follow each, kept until all are counted: only then is the best Huffman code known. The memory is
/// reused.
/// </summary>
internal sealed class TokenStore
{
    /// <summary>The most tokens that a block has: its DC difference, one for each AC coefficient or more than one zero, and its end.</summary>
    public const int MaxPerBlock = CoefficientPlane.BlockSize + 1;

    public const int Tables = 4;
    public const int Symbols = 256;

    private const int ChunkLength = 65_536;
    private const int MaxKeptChunks = 16;

    private readonly List<uint[]> _chunks = [];
    private readonly List<int> _lengths = [];
    private int _maxChunks;

    /// <summary>How often each symbol occurs, table by table.</summary>
    public int[] Counts { get; } = new int[Tables * Symbols];

    /// <param name="maxBytes">The memory that they may take.</param>
    public void Clear(long maxBytes)
    {
        _maxChunks = (int)(maxBytes / (ChunkLength * sizeof(uint)));
        _lengths.Clear();
        Array.Clear(Counts);
    }

    public void Trim()
    {
        if (_chunks.Count > MaxKeptChunks)
            _chunks.RemoveRange(MaxKeptChunks, _chunks.Count - MaxKeptChunks);
    }

    /// <summary>Opens the next chunk.</summary>
    /// <exception cref="NotTranscodableException">There are too many.</exception>
    public TokenWriter Open()
    {
        if (_lengths.Count == _maxChunks)
            throw new NotTranscodableException(NotTranscodable.Size);
        if (_lengths.Count == _chunks.Count)
            _chunks.Add(GC.AllocateUninitializedArray<uint>(ChunkLength));
        _lengths.Add(0);
        return new TokenWriter(_chunks[_lengths.Count - 1], Counts);
    }

    /// <summary>Makes sure that there is room for the tokens of that many blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MakeRoom(ref TokenWriter writer, int blocks)
    {
        if (writer.Free >= blocks * MaxPerBlock)
            return;
        Close(writer);
        writer = Open();
    }

    public void Close(in TokenWriter writer) => _lengths[^1] = writer.Length;

    /// <summary>The bits that all tokens take with these codes, without byte stuffing.</summary>
    public long Bits(ReadOnlySpan<HuffmanCode?> codes)
    {
        var bits = 0L;
        for (var i = 0; i < Counts.Length; i++)
            if (Counts[i] > 0)
                bits += (long)Counts[i] * (codes[i / Symbols]!.Length(i % Symbols) + (i & 15));
        return bits;
    }

    /// <summary>Writes all tokens.</summary>
    /// <param name="words">For each table and symbol, the code, shifted left by eight, and its length.</param>
    /// <param name="output">Where to.</param>
    public void WriteTo(ReadOnlySpan<uint> words, ref BitWriter output)
    {
        var writer = output;
        for (var i = 0; i < _lengths.Count; i++)
            foreach (var token in _chunks[i].AsSpan(0, _lengths[i]))
            {
                var word = words[(int)(token & (Tables * Symbols - 1))];
                var extraBits = (int)(token & 15);
                writer.Write((ulong)(word >> 8) << extraBits | token >> 16, (int)(word & 0xFF) + extraBits);
            }

        output = writer;
    }
}

/// <summary>Appends the tokens of blocks to one chunk of a <see cref="TokenStore"/>.</summary>
internal ref struct TokenWriter(Span<uint> tokens, Span<int> counts)
{
    private const int EndOfBlock = 0x00;
    private const int SixteenZeros = 0xF0;

    private readonly Span<uint> _tokens = tokens;
    private readonly Span<int> _counts = counts;

    public int Length { get; private set; }

    public readonly int Free => _tokens.Length - Length;

    /// <summary>Appends a block (ITU T.81, F.1.2).</summary>
    /// <param name="isChroma">Which pair of Huffman tables it uses.</param>
    /// <param name="difference">Its DC coefficient less that of the block before.</param>
    /// <param name="block">Its coefficients.</param>
    /// <param name="survivors">Which of the AC coefficients do not become zero.</param>
    /// <param name="requantiser">What makes them those of the output.</param>
    public void Append(bool isChroma, int difference, scoped ReadOnlySpan<short> block, ulong survivors, Requantiser requantiser)
    {
        // In locals, they stay in registers.
        var tokens = _tokens[Length..];
        var counts = _counts;
        var length = 0;
        var table = isChroma ? TokenStore.Symbols : 0;
        var (category, bits) = Code(difference);
        Add(table | category, bits, tokens, counts, ref length);
        table |= 2 * TokenStore.Symbols;
        var last = 0;
        while (survivors != 0)
        {
            var k = BitOperations.TrailingZeroCount(survivors);
            survivors &= survivors - 1;
            (category, bits) = Code(requantiser.Ac(block[k], k));
            var run = k - last - 1;
            last = k;
            for (; run > 15; run -= 16)
                Add(table | SixteenZeros, 0, tokens, counts, ref length);
            Add(table | run << 4 | category, bits, tokens, counts, ref length);
        }

        if (last < CoefficientPlane.BlockSize - 1)
            Add(table | EndOfBlock, 0, tokens, counts, ref length);
        Length += length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(int symbol, uint bits, Span<uint> tokens, Span<int> counts, ref int length)
    {
        tokens[length++] = (uint)symbol | bits << 16;
        counts[symbol]++;
    }

    /// <summary>The magnitude category of a value and the bits that tell it from the others in it (T.81, F.1.2.1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (int Category, uint Bits) Code(int value)
    {
        var sign = value >> 31;
        var category = 32 - BitOperations.LeadingZeroCount((uint)((value ^ sign) - sign));
        return (category, (uint)(value + sign) & ((1u << category) - 1));
    }
}
