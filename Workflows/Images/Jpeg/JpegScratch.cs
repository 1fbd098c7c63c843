namespace Darkroom.Images.Jpeg;

/// <summary>The memory that a transcoder works in, kept from image to image.</summary>
internal sealed class JpegScratch
{
    public JpegTables Tables { get; } = new();

    public EntropyCodedData Data { get; } = new();

    /// <summary>One for each component.</summary>
    public CoefficientPlane[] Planes { get; } = [new(), new(), new()];

    public TokenStore Tokens { get; } = new();

    /// <summary>Releases what an unusually large image left.</summary>
    public void Trim()
    {
        Data.Trim();
        Tokens.Trim();
        foreach (var plane in Planes)
            plane.Trim();
    }
}
