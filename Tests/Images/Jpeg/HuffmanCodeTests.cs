using Darkroom.Images.Jpeg;

namespace Darkroom.Tests.Images.Jpeg;

public sealed class HuffmanCodeTests
{
    public static TheoryData<string> Distributions => ["one", "two", "equal", "falling", "Fibonacci", "random"];

    [Theory]
    [MemberData(nameof(Distributions))]
    public void Code_is_valid_and_leaves_all_ones_free(string distribution)
    {
        var counts = Counts(distribution);
        var code = new HuffmanCode(counts);
        var used = Enumerable.Range(0, counts.Length).Where(symbol => counts[symbol] > 0).ToList();
        Assert.Equal(used.Order(), code.Values.ToArray().Select(value => (int)value).Order());
        Assert.Equal(used.Count, code.Counts.ToArray().Sum(count => count));
        // All codes together take less than all of the tree.
        Assert.True(used.Sum(symbol => Math.Pow(2, -code.Length(symbol))) < 1);
        foreach (var symbol in used)
        {
            var length = code.Length(symbol);
            Assert.InRange(length, 1, 16);
            Assert.NotEqual((1 << length) - 1, code.Code(symbol));
            Assert.DoesNotContain(used, other => other != symbol && code.Length(other) >= length && code.Code(other) >> (code.Length(other) - length) == code.Code(symbol));
        }
    }

    /// <summary>Against the tree itself, built by search, where it needs no shortening.</summary>
    [Fact]
    public void Code_is_as_short_as_the_tree_with_the_free_leaf()
    {
        var random = new Random(3);
        for (var round = 0; round < 200; round++)
        {
            var counts = new int[256];
            for (var i = 0; i < 1 + round % 40; i++)
                counts[random.Next(256)] = random.Next(1, 1_000);
            var code = new HuffmanCode(counts);
            var actual = Enumerable.Range(0, 256).Sum(symbol => (long)counts[symbol] * code.Length(symbol));
            Assert.Equal(TreeCost([0, .. counts.Where(count => count > 0).Select(count => (long)count)]), actual);
        }
    }

    [Theory]
    [MemberData(nameof(Distributions))]
    public void Decoder_reads_what_the_code_writes(string distribution)
    {
        var counts = Counts(distribution);
        // Categories of AC coefficients end at ten.
        for (var symbol = 0; symbol < counts.Length; symbol++)
            if ((symbol & 15) > 10)
                counts[symbol] = 0;
        var code = new HuffmanCode(counts);
        var decoder = new HuffmanDecoder();
        decoder.Define(code.Counts, code.Values, isDc: false);
        for (var symbol = 0; symbol < counts.Length; symbol++)
            if (counts[symbol] > 0)
                Assert.Equal(code.Length(symbol) << 8 | symbol, decoder.Find(code.Code(symbol) << (16 - code.Length(symbol))));
    }

    [Fact]
    public void Unassigned_codes_and_impossible_tables_are_refused()
    {
        var decoder = new HuffmanDecoder();
        decoder.Define([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0x01, 0x02], isDc: false);
        Assert.Equal(2 << 8 | 1, decoder.Find(0x3FFF));
        Assert.Equal(16 << 8 | 2, decoder.Find(0x4000));
        Assert.Throws<NotTranscodableException>(() => decoder.Find(0x4001));
        Assert.Throws<NotTranscodableException>(() => decoder.Define([3, .. new byte[15]], [1, 2, 3], isDc: false));
        Assert.Throws<NotTranscodableException>(() => decoder.Define([1, .. new byte[15]], [12], isDc: true));
        Assert.Throws<NotTranscodableException>(() => decoder.Define([1, .. new byte[15]], [0x0B], isDc: false));
    }

    private static int[] Counts(string distribution)
    {
        var counts = new int[256];
        var random = new Random(1);
        switch (distribution)
        {
            case "one":
                counts[7] = 5;
                break;
            case "two":
                (counts[7], counts[9]) = (5, 100);
                break;
            case "equal":
                Array.Fill(counts, 3);
                break;
            case "falling":
                for (var i = 0; i < counts.Length; i++)
                    counts[i] = 100_000 / (i + 1);
                break;
            case "Fibonacci":
                // Its tree is as deep as can be: codes of 39 bits, if nobody shortened them.
                (counts[0], counts[1]) = (1, 1);
                for (var i = 2; i < 40; i++)
                    counts[i] = counts[i - 1] + counts[i - 2];
                break;
            default:
                for (var i = 0; i < counts.Length; i++)
                    counts[i] = random.Next(3) == 0 ? random.Next(1, 1 << random.Next(1, 20)) : 0;
                break;
        }

        return counts;
    }

    private static long TreeCost(List<long> weights)
    {
        var cost = 0L;
        while (weights.Count > 1)
        {
            weights.Sort();
            var sum = weights[0] + weights[1];
            weights.RemoveRange(0, 2);
            weights.Add(sum);
            cost += sum;
        }

        return cost;
    }
}
