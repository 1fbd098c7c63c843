namespace Darkroom.Images;

/// <summary>The size to scale an image to, and the size to crop it to afterwards.</summary>
internal readonly record struct ResizeMath(int ScaledWidth, int ScaledHeight, int Width, int Height)
{
    public bool ScalesFrom(int width, int height) => (ScaledWidth, ScaledHeight) != (width, height);

    public bool IsNoOp(int width, int height) => !ScalesFrom(width, height) && (Width, Height) == (width, height);

    /// <summary>Never enlarges: if the box is larger than the image, the image keeps its size.</summary>
    public static ResizeMath Plan(ImageStep.Resize step, int width, int height)
    {
        var (boxWidth, boxHeight) = (step.Width ?? int.MaxValue, step.Height ?? int.MaxValue);
        if (step.Mode == ResizeMode.Crop)
            return new(width, height, Math.Min(width, boxWidth), Math.Min(height, boxHeight));

        var (across, down) = (step.Width / (double)width ?? double.NaN, step.Height / (double)height ?? double.NaN);
        var scale = step.Mode == ResizeMode.Fit ? Smaller(across, down) : Larger(across, down);
        if (!(scale < 1))
            scale = 1;
        var (scaledWidth, scaledHeight) = (Scale(width, scale), Scale(height, scale));
        return new(scaledWidth, scaledHeight, Math.Min(scaledWidth, boxWidth), Math.Min(scaledHeight, boxHeight));
    }

    private static double Smaller(double left, double right) => double.IsNaN(left) ? right : double.IsNaN(right) ? left : Math.Min(left, right);

    private static double Larger(double left, double right) => double.IsNaN(left) ? right : double.IsNaN(right) ? left : Math.Max(left, right);

    private static int Scale(int side, double scale) => Math.Max(1, (int)Math.Round(side * scale));
}
