using System.Numerics;
using System.Runtime.Intrinsics;

namespace Darkroom.Images.Jpeg;

/// <summary>
/// Halves the resolution of chroma without decoding it to pixels: each half of the new block is what the lower half of a block's frequencies
/// describes at half its size. A 4-point inverse DCT of these, and an 8-point DCT of two such halves together, is one matrix. Dugad and Ahuja,
/// "A fast scheme for image size change in the compressed domain", IEEE Transactions on Circuits and Systems for Video Technology 11 (2001).
/// </summary>
internal sealed class ChromaReducer
{
    private const int Side = 8;
    private const int Half = Side / 2;
    private const float MaxMagnitude = 1023;

    // Row by row: the matrix, what it is multiplied with on the left. Its columns as rows, for multiplying on the right.
    private static readonly float[] Halving = MakeHalving();
    private static readonly float[] HalvingTransposed = Transpose(Halving);

    // Where in the input matrix a coefficient of the first block goes; Unused if it describes what the smaller image cannot show.
    private const byte Unused = byte.MaxValue;
    private readonly byte[] _places = new byte[CoefficientPlane.BlockSize];
    private ulong _used;

    private readonly float[] _steps = new float[CoefficientPlane.BlockSize];
    private readonly float[] _reciprocals = new float[CoefficientPlane.BlockSize];
    private float _rounding;

    public bool HalvesAcross { get; private set; }

    public bool HalvesDown { get; private set; }

    /// <param name="halvesAcross">Whether two blocks side by side become one.</param>
    /// <param name="halvesDown">Whether two blocks one above the other become one.</param>
    /// <param name="from">Steps of the source, in zigzag order.</param>
    /// <param name="to">Steps of the output, in zigzag order.</param>
    /// <param name="deadZone">See <see cref="JpegOptions.DeadZone"/>.</param>
    public void Prepare(bool halvesAcross, bool halvesDown, ReadOnlySpan<ushort> from, ReadOnlySpan<ushort> to, double deadZone)
    {
        (HalvesAcross, HalvesDown) = (halvesAcross, halvesDown);
        _rounding = (float)(0.5 - deadZone);
        _used = 0;
        for (var k = 0; k < CoefficientPlane.BlockSize; k++)
        {
            var place = Zigzag.ToNatural[k];
            var isUsed = !(halvesAcross && place % Side >= Half || halvesDown && place / Side >= Half);
            _places[k] = isUsed ? place : Unused;
            _used |= isUsed ? 1UL << k : 0;
            _steps[k] = from[k];
            _reciprocals[place] = 1f / to[k];
        }
    }

    /// <summary>Makes one block of up to four.</summary>
    /// <param name="blocks">The blocks: from left to right, and from top to bottom if halved down.</param>
    /// <param name="result">The quantised coefficients of the new block, in zigzag order; those that are zero are left as they are.</param>
    /// <returns>Which AC coefficients are not zero, and the DC coefficient.</returns>
    public (ulong Survivors, int Dc) Reduce(in ChromaQuarters blocks, Span<short> result)
    {
        Span<float> matrix = stackalloc float[CoefficientPlane.BlockSize];
        matrix.Clear();
        Dequantise(blocks.TopLeft, matrix);
        if (HalvesAcross)
            Dequantise(blocks.TopRight, matrix[Half..]);
        if (HalvesDown)
            Dequantise(blocks.BottomLeft, matrix[(Half * Side)..]);
        if (HalvesAcross && HalvesDown)
            Dequantise(blocks.BottomRight, matrix[(Half * Side + Half)..]);

        Span<float> other = stackalloc float[CoefficientPlane.BlockSize];
        if (HalvesDown)
        {
            Multiply(Halving, matrix, other);
            other.CopyTo(matrix);
        }

        if (HalvesAcross)
        {
            Multiply(matrix, HalvingTransposed, other);
            other.CopyTo(matrix);
        }

        return Quantise(matrix, result);
    }

    private void Dequantise(ReadOnlySpan<short> block, Span<float> matrix)
    {
        ReadOnlySpan<byte> places = _places;
        ReadOnlySpan<float> steps = _steps;
        matrix[0] = block[0] * steps[0];
        for (var rest = Requantiser.Identity.Survivors(block) & _used; rest != 0; rest &= rest - 1)
        {
            var k = BitOperations.TrailingZeroCount(rest);
            matrix[places[k]] = block[k] * steps[k];
        }
    }

    /// <summary>The product of two matrices of 8 x 8, row by row.</summary>
    private static void Multiply(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> product)
    {
        var (r0, r1, r2, r3) = (Row(right, 0), Row(right, 1), Row(right, 2), Row(right, 3));
        var (r4, r5, r6, r7) = (Row(right, 4), Row(right, 5), Row(right, 6), Row(right, 7));
        for (var row = 0; row < Side; row++)
        {
            var factors = left.Slice(row * Side, Side);
            var low = r0 * factors[0] + r1 * factors[1] + (r2 * factors[2] + r3 * factors[3]);
            var high = r4 * factors[4] + r5 * factors[5] + (r6 * factors[6] + r7 * factors[7]);
            (low + high).CopyTo(product[(row * Side)..]);
        }
    }

    private (ulong Survivors, int Dc) Quantise(ReadOnlySpan<float> matrix, Span<short> result)
    {
        Span<int> values = stackalloc int[CoefficientPlane.BlockSize];
        var natural = 0UL;
        var rounding = Vector256.Create(_rounding);
        var limit = Vector256.Create(MaxMagnitude);
        for (var row = 0; row < Side; row++)
        {
            var exact = Row(matrix, row) * Row(_reciprocals, row);
            var magnitude = Vector256.ConvertToInt32(Vector256.Min(Vector256.Abs(exact) + rounding, limit));
            var sign = Vector256.ShiftRightArithmetic(exact.AsInt32(), 31);
            ((magnitude ^ sign) - sign).CopyTo(values[(row * Side)..]);
            natural |= (ulong)Vector256.GreaterThan(magnitude, Vector256<int>.Zero).ExtractMostSignificantBits() << (row * Side);
        }

        var survivors = 0UL;
        for (natural &= ~1UL; natural != 0; natural &= natural - 1)
        {
            var place = BitOperations.TrailingZeroCount(natural);
            var k = Zigzag.FromNatural[place];
            result[k] = (short)values[place];
            survivors |= 1UL << k;
        }

        return (survivors, (int)MathF.Round(Math.Clamp(matrix[0] * _reciprocals[0], BaselineBlock.MinDc, BaselineBlock.MaxDc)));
    }

    private static Vector256<float> Row(ReadOnlySpan<float> matrix, int row) => Vector256.Create(matrix.Slice(row * Side, Side));

    /// <summary>8-point DCT times the 4-point inverse DCT of each half, times the scale between the two sizes.</summary>
    private static float[] MakeHalving()
    {
        var matrix = new float[CoefficientPlane.BlockSize];
        for (var row = 0; row < Side; row++)
            for (var column = 0; column < Side; column++)
            {
                var sum = 0.0;
                for (var x = 0; x < Half; x++)
                    sum += Basis(Side, row, column / Half * Half + x) * Basis(Half, column % Half, x);
                matrix[row * Side + column] = (float)(sum * Math.Sqrt(0.5));
            }

        return matrix;
    }

    /// <summary>A value of an orthonormal DCT's basis function.</summary>
    private static double Basis(int size, int frequency, int x) =>
        Math.Sqrt((frequency == 0 ? 1.0 : 2.0) / size) * Math.Cos((2 * x + 1) * frequency * Math.PI / (2 * size));

    private static float[] Transpose(float[] matrix)
    {
        var transposed = new float[matrix.Length];
        for (var i = 0; i < matrix.Length; i++)
            transposed[i % Side * Side + i / Side] = matrix[i];
        return transposed;
    }
}

/// <summary>The blocks that <see cref="ChromaReducer"/> makes one of. Those of a side that is not halved are ignored.</summary>
internal readonly ref struct ChromaQuarters
{
    public required ReadOnlySpan<short> TopLeft { get; init; }

    public required ReadOnlySpan<short> TopRight { get; init; }

    public required ReadOnlySpan<short> BottomLeft { get; init; }

    public required ReadOnlySpan<short> BottomRight { get; init; }
}
