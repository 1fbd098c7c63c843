namespace Darkroom.Images;

/// <summary>Properties of an image file, read from its structure without decoding and without native code.</summary>
/// <param name="Width">Width as stored, before <paramref name="Orientation"/>.</param>
/// <param name="Frames">Frames of an animation or pages of a TIFF.</param>
/// <param name="Orientation">EXIF orientation, 1 to 8.</param>
/// <param name="Interlaced">Whether it is a progressive JPEG or an Adam7 PNG.</param>
/// <param name="Scans">Scans of a JPEG; 1 otherwise.</param>
/// <param name="Profile">The embedded colour profile, if there is one of reasonable size.</param>
/// <param name="IsStillOfAnimation">True for an animated PNG: it has more frames, but our decoder sees only one.</param>
/// <param name="BitsPerSample">Bits per sample of a PNG or TIFF; 8 otherwise.</param>
/// <param name="Components">Colour components of a JPEG; 3 otherwise.</param>
internal sealed record ImageHeader(
    ImageFormat Format,
    int Width,
    int Height,
    int Frames = 1,
    int Orientation = 1,
    bool Interlaced = false,
    int Scans = 1,
    byte[]? Profile = null,
    bool IsStillOfAnimation = false,
    int BitsPerSample = 8,
    int Components = 3)
{
    public long Pixels => (long)Width * Height * (IsStillOfAnimation ? 1 : Frames);

    /// <summary>Orientations 5 to 8 swap the sides.</summary>
    public (int Width, int Height) Displayed => Orientation >= 5 ? (Height, Width) : (Width, Height);

    /// <summary>Checks the header against the limits. Null if the file may be decoded.</summary>
    public ImageFailure? CheckLimits(ImageOptions limits)
    {
        if (Width < 1 || Height < 1)
            return new(ImageFailureCodes.CorruptImage, "The image has no pixels.");
        if (Frames > limits.MaxFrames)
            return new(ImageFailureCodes.TooManyFrames, $"The image has more than {limits.MaxFrames} frames or pages.");
        if (Width > limits.MaxSide || Height > limits.MaxSide)
            return new(ImageFailureCodes.TooManyPixels, $"The image measures {Width} x {Height} pixels; the limit per side is {limits.MaxSide}.");
        if (Pixels > limits.MaxPixels)
            return new(ImageFailureCodes.TooManyPixels, $"The image has more than {limits.MaxMegapixels} million pixels in all its frames.");
        if (Format == ImageFormat.Jpeg && Interlaced && Pixels > limits.MaxInterlacedPixels)
            return new(ImageFailureCodes.TooManyPixels, $"A progressive JPEG may have at most {limits.MaxInterlacedMegapixels} million pixels.");
        if (Scans > limits.MaxScans)
            return new(ImageFailureCodes.TooComplex, $"The JPEG has more than {limits.MaxScans} scans.");
        return null;
    }
}
