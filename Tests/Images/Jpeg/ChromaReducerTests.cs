using Darkroom.Images.Jpeg;

namespace Darkroom.Tests.Images.Jpeg;

public sealed class ChromaReducerTests
{
    private static readonly ushort[] Ones = [.. Enumerable.Repeat((ushort)1, 64)];

    /// <summary>
    /// A picture without fine detail, halved in the frequency domain, is as good as the means of its pixels: it differs by what a cosine's mean
    /// over a wide pixel differs from its value in the middle.
    /// </summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Smooth_picture_becomes_the_means_of_its_pixels(bool across, bool down)
    {
        var reducer = new ChromaReducer();
        reducer.Prepare(across, down, Ones, Ones, 0);
        var (width, height) = (across ? 16 : 8, down ? 16 : 8);
        double At(double x, double y) => 60 * Math.Sin(x / 9) + 40 * Math.Cos(y / 11) + x - y;

        var result = new short[64];
        var (survivors, dc) = reducer.Reduce(
            new ChromaQuarters
            {
                TopLeft = Coefficients((x, y) => At(x, y)),
                TopRight = Coefficients((x, y) => At(x + 8, y)),
                BottomLeft = Coefficients((x, y) => At(x, y + 8)),
                BottomRight = Coefficients((x, y) => At(x + 8, y + 8)),
            },
            result);
        result[0] = (short)dc;
        for (var k = 1; k < 64; k++)
            if ((survivors >> k & 1) == 0)
                result[k] = 0;

        for (var y = 0; y < 8; y++)
            for (var x = 0; x < 8; x++)
            {
                var (left, top) = (x * width / 8.0, y * height / 8.0);
                var mean = (At(left, top) + At(left + width / 8 - 1, top) + At(left, top + height / 8 - 1) + At(left + width / 8 - 1, top + height / 8 - 1)) / 4;
                Assert.InRange(Pixel(result, x, y) - mean, -2, 2);
            }
    }

    /// <summary>A 4-point inverse DCT of the lower half of each block's frequencies, and an 8-point DCT of two such halves, both as matrices.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Result_is_the_product_of_the_matrices(bool across, bool down)
    {
        var random = new Random(7);
        var reducer = new ChromaReducer();
        reducer.Prepare(across, down, Ones, Ones, 0);
        for (var round = 0; round < 200; round++)
        {
            var blocks = Enumerable.Range(0, 4).Select(_ => Enumerable.Range(0, 64).Select(_ => (short)(random.Next(-1_000, 1_000) >> random.Next(10))).ToArray()).ToArray();
            var matrix = new double[16, 16];
            for (var v = 0; v < 16; v++)
                for (var u = 0; u < 16; u++)
                    matrix[v, u] = blocks[v / 8 * 2 + u / 8][Zigzag.FromNatural[v % 8 * 8 + u % 8]];
            if (down)
                matrix = Halve(matrix);
            if (across)
                matrix = Transpose(Halve(Transpose(matrix)));

            var result = new short[64];
            var (survivors, dc) = reducer.Reduce(
                new ChromaQuarters { TopLeft = blocks[0], TopRight = blocks[1], BottomLeft = blocks[2], BottomRight = blocks[3] }, result);

            Assert.InRange(dc - Math.Clamp(matrix[0, 0], -1_024, 1_023), -0.51, 0.51);
            for (var k = 1; k < 64; k++)
            {
                var exact = Math.Clamp(matrix[Zigzag.ToNatural[k] / 8, Zigzag.ToNatural[k] % 8], -1_023, 1_023);
                Assert.InRange(((survivors >> k & 1) != 0 ? result[k] : 0) - exact, -0.51, 0.51);
            }
        }
    }

    /// <summary>The upper eight rows become what was described by sixteen.</summary>
    private static double[,] Halve(double[,] matrix)
    {
        var half = new double[16, 16];
        for (var row = 0; row < 8; row++)
            for (var column = 0; column < 16; column++)
                for (var i = 0; i < 8; i++)
                {
                    var factor = Enumerable.Range(0, 4).Sum(x => Basis(8, row, i / 4 * 4 + x) * Basis(4, i % 4, x));
                    half[row, column] += Math.Sqrt(0.5) * factor * matrix[i / 4 * 8 + i % 4, column];
                }

        return half;
    }

    private static double[,] Transpose(double[,] matrix)
    {
        var transposed = new double[16, 16];
        for (var row = 0; row < 16; row++)
            for (var column = 0; column < 16; column++)
                transposed[column, row] = matrix[row, column];
        return transposed;
    }

    private static double Basis(int size, int frequency, int x) => Math.Sqrt(2.0 / size) * Scale(frequency) * Math.Cos((2 * x + 1) * frequency * Math.PI / (2 * size));

    [Fact]
    public void Flat_blocks_stay_flat()
    {
        var reducer = new ChromaReducer();
        reducer.Prepare(true, true, Ones, Ones, 0);
        var block = new short[64];
        block[0] = 400;
        var (survivors, dc) = reducer.Reduce(new ChromaQuarters { TopLeft = block, TopRight = block, BottomLeft = block, BottomRight = block }, new short[64]);
        Assert.Equal((0UL, 400), (survivors, dc));
    }

    [Fact]
    public void Values_beyond_those_of_pixels_are_limited()
    {
        var reducer = new ChromaReducer();
        reducer.Prepare(true, true, [.. Enumerable.Repeat((ushort)255, 64)], Ones, 0);
        foreach (var extreme in (short[])[-1024, 1023])
        {
            var block = Enumerable.Repeat(extreme, 64).ToArray();
            var result = new short[64];
            var (survivors, dc) = reducer.Reduce(new ChromaQuarters { TopLeft = block, TopRight = block, BottomLeft = block, BottomRight = block }, result);
            Assert.InRange(dc, -1024, 1023);
            Assert.NotEqual(0UL, survivors);
            Assert.All(result, value => Assert.InRange(value, -1023, 1023));
        }
    }

    /// <summary>The DCT of T.81, A.3.3, in zigzag order.</summary>
    private static short[] Coefficients(Func<int, int, double> pixel)
    {
        var block = new short[64];
        for (var k = 0; k < 64; k++)
        {
            var (v, u) = (Zigzag.ToNatural[k] / 8, Zigzag.ToNatural[k] % 8);
            var sum = 0.0;
            for (var y = 0; y < 8; y++)
                for (var x = 0; x < 8; x++)
                    sum += pixel(x, y) * Cosine(x, u) * Cosine(y, v);
            block[k] = (short)Math.Round(sum * Scale(u) * Scale(v) / 4);
        }

        return block;
    }

    private static double Pixel(short[] block, int x, int y)
    {
        var sum = 0.0;
        for (var k = 0; k < 64; k++)
        {
            var (v, u) = (Zigzag.ToNatural[k] / 8, Zigzag.ToNatural[k] % 8);
            sum += Scale(u) * Scale(v) * block[k] * Cosine(x, u) * Cosine(y, v);
        }

        return sum / 4;
    }

    private static double Cosine(int x, int frequency) => Math.Cos((2 * x + 1) * frequency * Math.PI / 16);

    private static double Scale(int frequency) => frequency == 0 ? Math.Sqrt(0.5) : 1;
}
