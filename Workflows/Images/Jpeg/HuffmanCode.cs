namespace Darkroom.Images.Jpeg;

/// <summary>A Huffman code for the output, made to measure (ITU T.81, annexes C and K.2).</summary>
internal sealed class HuffmanCode
{
    private const int MaxLength = 16;

    private readonly byte[] _counts = new byte[MaxLength];
    private readonly byte[] _values;
    private readonly byte[] _lengths = new byte[256];
    private readonly ushort[] _codes = new ushort[256];

    /// <summary>How many codes there are of each length, 1 to 16.</summary>
    public ReadOnlySpan<byte> Counts => _counts;

    /// <summary>The symbols, by length of their codes.</summary>
    public ReadOnlySpan<byte> Values => _values;

    /// <summary>The length of a symbol's code, in bits; 0 if it has none.</summary>
    public int Length(int symbol) => _lengths[symbol];

    /// <summary>A symbol's code.</summary>
    public int Code(int symbol) => _codes[symbol];

    /// <summary>The shortest code of at most 16 bits for symbols that occur so often, none of it all ones.</summary>
    /// <param name="counts">How often each symbol occurs; at least one does.</param>
    public HuffmanCode(ReadOnlySpan<int> counts)
    {
        var used = new List<(int Count, byte Symbol)>();
        for (var symbol = 0; symbol < counts.Length; symbol++)
            if (counts[symbol] > 0)
                used.Add((counts[symbol], (byte)symbol));
        used.Sort();

        var perLength = CountLengths([.. used.Select(symbol => symbol.Count)]);
        Shorten(perLength);

        // The most frequent symbols get the shortest codes.
        _values = [.. Enumerable.Reverse(used).Select(symbol => symbol.Symbol)];
        var (code, next) = (0, 0);
        for (var length = 1; length <= MaxLength; length++, code <<= 1)
        {
            _counts[length - 1] = (byte)perLength[length];
            for (var i = 0; i < perLength[length]; i++, next++, code++)
                (_lengths[_values[next]], _codes[_values[next]]) = ((byte)length, (ushort)code);
        }
    }

    /// <summary>
    /// How many codes of each length a Huffman tree has. One leaf more than there are symbols, with the longest code, keeps all ones free.
    /// </summary>
    /// <param name="counts">How often each symbol occurs, in rising order.</param>
    private static int[] CountLengths(ReadOnlySpan<int> counts)
    {
        var leaves = counts.Length + 1;
        var weights = new long[2 * leaves - 1];
        var parents = new int[2 * leaves - 1];
        for (var i = 0; i < counts.Length; i++)
            weights[i + 1] = counts[i];

        // Both the leaves and the nodes above them come in rising order, so the two lightest are at the front of one or the other.
        var (leaf, node) = (0, leaves);
        for (var next = leaves; next < weights.Length; next++)
        {
            var first = TakeLightest();
            var second = TakeLightest();
            weights[next] = weights[first] + weights[second];
            parents[first] = parents[second] = next;

            int TakeLightest() => node >= next || leaf < leaves && weights[leaf] <= weights[node] ? leaf++ : node++;
        }

        var depths = new int[weights.Length];
        var perLength = new int[Math.Max(leaves, MaxLength) + 1];
        for (var i = weights.Length - 2; i >= 0; i--)
        {
            depths[i] = depths[parents[i]] + 1;
            if (i < leaves)
                perLength[depths[i]]++;
        }

        return perLength;
    }

    /// <summary>Moves codes that are too long up the tree (T.81, figure K.3), and takes the one away that is not to be used.</summary>
    private static void Shorten(int[] perLength)
    {
        for (var length = perLength.Length - 1; length > MaxLength; length--)
            while (perLength[length] > 0)
            {
                // Two of the longest codes: one takes the place of their common prefix, the other hangs below a shorter code with it.
                var shorter = length - 2;
                while (perLength[shorter] == 0)
                    shorter--;
                perLength[length] -= 2;
                perLength[length - 1]++;
                perLength[shorter]--;
                perLength[shorter + 1] += 2;
            }

        perLength[Array.FindLastIndex(perLength, count => count > 0)]--;
    }
}
