using Darkroom.Images.Jpeg;

namespace Darkroom.Tests.Images.Jpeg;

public sealed class ProgressiveBlockTests
{
    /// <summary>Over random blocks, bands and data: they leave the same behind, or fail alike.</summary>
    [Fact]
    public void Both_ways_to_refine_a_band_agree()
    {
        var random = new Random(8);
        var table = Table(random);
        var failures = 0;
        for (var round = 0; round < 5_000; round++)
        {
            var (first, bit) = (random.Next(1, 64), random.Next(4));
            var scan = new JpegScan([], first, random.Next(first, 64), bit + 1, bit);
            var data = new byte[BitReader.Padding + 300];
            random.NextBytes(data.AsSpan(0, 300));
            var block = Enumerable.Range(0, 64).Select(_ => random.Next(4) == 0 ? (short)(random.Next(-8, 9) << bit + 1) : (short)0).ToArray();
            var endOfBand = random.Next(4) == 0 ? random.Next(1, 5) : 0;

            var expected = Refine(ProgressiveBlock.RefineAcOneByOne, table, scan, data, block, endOfBand);
            var actual = Refine(ProgressiveBlock.RefineAc, table, scan, data, block, endOfBand);

            failures += expected is null ? 1 : 0;
            Assert.Equal(expected, actual);
        }

        // Most of what is random is a block.
        Assert.InRange(failures, 10, 2_500);
    }

    private delegate void Refinement(ref BitReader reader, HuffmanDecoder table, JpegScan scan, Span<short> block, ref int endOfBand);

    /// <summary>The block, where the reader stands, and for how many blocks the band has ended. Null if it failed.</summary>
    private static string? Refine(Refinement refine, HuffmanDecoder table, JpegScan scan, byte[] data, short[] block, int endOfBand)
    {
        var result = block.ToArray();
        var reader = new BitReader(data, 0);
        try
        {
            refine(ref reader, table, scan, result, ref endOfBand);
        }
        catch (NotTranscodableException)
        {
            return null;
        }

        return $"{string.Join(' ', result)}; {reader.Position}; {endOfBand}";
    }

    /// <summary>Symbols of refinements: short runs and ends are frequent, and a few are invalid.</summary>
    private static HuffmanDecoder Table(Random random)
    {
        var counts = new int[256];
        for (var run = 0; run < 16; run++)
        {
            counts[run << 4] = run == 0 ? 1_000 : random.Next(1, 20);
            counts[run << 4 | 1] = 2_000 >> run / 2;
        }

        counts[0x02] = 5;
        var code = new HuffmanCode(counts);
        var table = new HuffmanDecoder();
        table.Define(code.Counts, code.Values, isDc: false);
        return table;
    }
}
