namespace Darkroom.Images.Jpeg;

/// <summary>One colour component of a frame: where its blocks are, and the tables that the present scan gives it.</summary>
/// <param name="id">The name that scans call it by.</param>
/// <param name="across">Its horizontal sampling factor: blocks side by side in an MCU.</param>
/// <param name="down">Its vertical sampling factor.</param>
/// <param name="quantiser">Which quantisation table its coefficients were divided by, 0 to 3.</param>
internal sealed class JpegComponent(int id, int across, int down, int quantiser)
{
    public int Id => id;

    public int Across => across;

    public int Down => down;

    public int Quantiser => quantiser;

    /// <summary>Blocks side by side that show a part of the image. An MCU at the edge may have more, which only fill it.</summary>
    public int BlocksAcross { get; set; }

    /// <summary>Blocks one above another that show a part of the image.</summary>
    public int BlocksDown { get; set; }

    /// <summary>The coefficients.</summary>
    public CoefficientPlane Plane { get; set; } = null!;

    public HuffmanDecoder Dc { get; set; } = null!;

    public HuffmanDecoder Ac { get; set; } = null!;

    /// <summary>The DC coefficient of the block before, which the next one is coded relative to.</summary>
    public int Prediction;

    /// <summary>For each coefficient, the lowest bit that scans have given so far; <see cref="Unknown"/> before the first.</summary>
    public int[] LowestBits { get; } = [.. Enumerable.Repeat(Unknown, CoefficientPlane.BlockSize)];

    public const int Unknown = -1;
}
