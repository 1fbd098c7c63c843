namespace Darkroom.Images.Containers;

/// <summary>
/// Reads and rewrites image files by their structure. A rewritten file has the same pixels and nothing else: no metadata, no
/// trailing data. Decoders are given rewritten files where we can make them, so hostile metadata never reaches native code.
/// </summary>
internal static class ImageContainers
{
    /// <summary>The header of a file, or an <see cref="ImageFailedException"/> if its structure is broken.</summary>
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
            // The readers let the bounds of the file stop them: every such file is cut off or lies about a length.
            throw Corrupt();
        }
    }

    /// <summary>Whether <see cref="Rewrite"/> knows the format.</summary>
    public static bool CanRewrite(ImageFormat format) =>
        format is ImageFormat.Jpeg or ImageFormat.Png or ImageFormat.Webp or ImageFormat.Gif;

    /// <summary>Writes the file without its metadata; only orientation and profile are carried over, as told.</summary>
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
