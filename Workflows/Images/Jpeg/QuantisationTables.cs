namespace Darkroom.Images.Jpeg;

/// <summary>The quantisation tables of the output, in zigzag order.</summary>
internal static class QuantisationTables
{
    // ITU T.81, tables K.1 and K.2, row by row.
    private static ReadOnlySpan<byte> Luma =>
    [
        16, 11, 10, 16, 24, 40, 51, 61,
        12, 12, 14, 19, 26, 58, 60, 55,
        14, 13, 16, 24, 40, 57, 69, 56,
        14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77,
        24, 35, 55, 64, 81, 104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101,
        72, 92, 95, 98, 112, 100, 103, 99,
    ];

    private static ReadOnlySpan<byte> Chroma =>
    [
        17, 18, 24, 47, 99, 99, 99, 99,
        18, 21, 26, 66, 99, 99, 99, 99,
        24, 26, 56, 99, 99, 99, 99, 99,
        47, 66, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
    ];

    /// <summary>
    /// The steps for a quality of 1 to 100, by the rule of the Independent JPEG Group's library, which all encoders' qualities are compared by:
    /// the standard's tables at 50, twice them at 25, none at 100.
    /// </summary>
    public static ushort[] For(int quality, bool isChroma)
    {
        var percent = quality < 50 ? 5_000 / quality : 200 - quality * 2;
        var table = isChroma ? Chroma : Luma;
        var steps = new ushort[CoefficientPlane.BlockSize];
        for (var k = 0; k < steps.Length; k++)
            steps[k] = (ushort)Math.Clamp((table[Zigzag.ToNatural[k]] * percent + 50) / 100, 1, byte.MaxValue);
        return steps;
    }
}
