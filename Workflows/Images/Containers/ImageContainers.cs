namespace Darkroom.Images.Containers;

/// <summary>
/// Inspects and rewrites image files by their structure. A rewritten file has the same pixels but no metadata and no trailing data.
/// Where possible, decoders get rewritten files, so hostile metadata never reaches native code.
/// </summary>
internal static class ImageContainers
{
    /// <summary>Reads the header of a file. Throws an <see cref="ImageFailedException"/> if its structure is invalid.</summary>
    public static ImageHeader Inspect(ImageFormat format, ReadOnlySpan<byte> file)
    {
        try
        {
            return format switch
            {
                ImageFormat.Jpeg => JpegContainer.Inspect(file),
                ImageFormat.Png => PngContainer.Inspect(file),
                ImageFormat.Webp => WebpContainer.Inspect(file),
                ImageFormat.Gif => GifContainer.Inspect(file),
                ImageFormat.Tiff => TiffContainer.Inspect(file),
                _ => AvifContainer.Inspect(file),
            };
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            // The readers rely on bounds checks: a file that violates them is truncated or declares a wrong length.
            throw Corrupt();
        }
    }

    /// <summary>Whether <see cref="Rewrite"/> supports the format.</summary>
    public static bool CanRewrite(ImageFormat format) =>
        format is ImageFormat.Jpeg or ImageFormat.Png or ImageFormat.Webp or ImageFormat.Gif;

    /// <summary>Writes the file without its metadata, except the given orientation and, if wanted, the profile.</summary>
    public static void Rewrite(ImageFormat format, ReadOnlySpan<byte> file, PooledBuffer output, int orientation, bool keepProfile)
    {
        try
        {
            switch (format)
            {
                case ImageFormat.Jpeg: JpegContainer.Rewrite(file, output, orientation, keepProfile); break;
                case ImageFormat.Png: PngContainer.Rewrite(file, output, orientation, keepProfile); break;
                case ImageFormat.Webp: WebpContainer.Rewrite(file, output, orientation, keepProfile); break;
                case ImageFormat.Gif: GifContainer.Rewrite(file, output); break;
                default: throw new ArgumentOutOfRangeException(nameof(format), format, null);
            }
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException)
        {
            throw Corrupt();
        }
    }

    public static ImageFailedException Corrupt(Exception? inner = null) =>
        new(new(ImageFailureCodes.CorruptImage, "The image is damaged or cut off."), inner);

    internal static void Append(this PooledBuffer output, scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(output.GetSpan(bytes.Length));
        output.Advance(bytes.Length);
    }
}
