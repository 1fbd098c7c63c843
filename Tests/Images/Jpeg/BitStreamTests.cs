using Darkroom.Images.Jpeg;

namespace Darkroom.Tests.Images.Jpeg;

public sealed class BitStreamTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.99)]
    public void Reader_reads_what_the_writer_wrote(double ones)
    {
        var random = new Random(9);
        for (var round = 0; round < 50; round++)
        {
            var values = Enumerable.Range(0, 400).Select(_ => random.Next(1, 17))
                .Select(count => (Count: count, Value: Enumerable.Range(0, count).Aggregate(0, (value, _) => value << 1 | (random.NextDouble() < ones ? 1 : 0))))
                .Take(round * 8)
                .ToList();
            var file = new byte[4_000];
            var writer = new BitWriter(file);
            foreach (var (count, value) in values)
                writer.Write((ulong)value, count);
            writer.Finish();
            Assert.Equal(-1, file.AsSpan(0, writer.Length).IndexOfMarker());

            var data = new EntropyCodedData();
            data.Read(file.AsSpan(0, writer.Length));
            var reader = data.Open(0);
            foreach (var (count, value) in values)
            {
                reader.Fill();
                Assert.Equal(value, reader.Take(count));
            }

            Assert.True(data.IsAtEnd(reader, 0));
            Assert.False(data.IsBeyond(reader, 0));
            reader.Fill();
            reader.Skip(8);
            Assert.True(data.IsBeyond(reader, 0));
        }
    }

    [Fact]
    public void Values_are_extended_as_the_standard_says()
    {
        // T.81, table F.1.
        Assert.Equal([-1, 1], Enumerable.Range(0, 2).Select(number => BitReader.Extend(number, 1)));
        Assert.Equal([-3, -2, 2, 3], Enumerable.Range(0, 4).Select(number => BitReader.Extend(number, 2)));
        Assert.Equal((-1023, -512, 512, 1023), (BitReader.Extend(0, 10), BitReader.Extend(511, 10), BitReader.Extend(512, 10), BitReader.Extend(1023, 10)));
    }

    [Fact]
    public void Restart_markers_divide_the_data_and_must_count()
    {
        var data = new EntropyCodedData();
        data.Read([1, 2, 0xFF, 0, 0xFF, 0xD0, 3, 0xFF, 0xD1, 0xFF, 0]);
        Assert.Equal(3, data.Intervals);
        Assert.Equal([0x0102FF, 0x03, 0xFF], new[] { (0, 24), (1, 8), (2, 8) }.Select(part => Take(data, part.Item1, part.Item2)));
        foreach (var wrong in (byte[][])[[1, 0xFF, 0xD1, 2], [1, 0xFF, 0xD0, 2, 0xFF, 0xD2], [1, 0xFF], [0xFF, 0xFF, 0, 1], [0xFF, 0xD9]])
            Assert.Throws<NotTranscodableException>(() => data.Read(wrong));
    }

    private static int Take(EntropyCodedData data, int interval, int count)
    {
        var reader = data.Open(interval);
        reader.Fill();
        return reader.Peek(count);
    }
}

internal static class MarkerExtensions
{
    /// <summary>Where a byte of ones is not followed by a zero.</summary>
    public static int IndexOfMarker(this Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
            if (bytes[i] == 0xFF && (i + 1 == bytes.Length || bytes[i + 1] != 0))
                return i;
        return -1;
    }
}
