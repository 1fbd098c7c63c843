using System.Buffers.Binary;
using System.Text;

namespace Darkroom.Images;

/// <summary>Detects an image's format from its first bytes.</summary>
internal static class FormatSniffer
{
    /// <summary>The format. Throws an <see cref="ImageFailedException"/> that names the actual file type if it is not supported.</summary>
    public static ImageFormat Recognise(ReadOnlySpan<byte> bytes)
    {
        if (Sniff(bytes) is { } format)
            return format;
        throw new ImageFailedException(
            OtherImage(bytes) is { } other
                ? new(ImageFailureCodes.UnsupportedFormat, $"This file type is not supported: {other}.")
                : new(ImageFailureCodes.NotAnImage, "The file is not an image."));
    }

    public static ImageFormat? Sniff(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return ImageFormat.Jpeg;
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]))
            return ImageFormat.Png;
        if (bytes.Length >= 12 && bytes.StartsWith("RIFF"u8) && bytes[8..].StartsWith("WEBP"u8))
            return ImageFormat.Webp;
        if (bytes.StartsWith("GIF87a"u8) || bytes.StartsWith("GIF89a"u8))
            return ImageFormat.Gif;
        if (bytes.StartsWith("II*\0"u8) || bytes.StartsWith("MM\0*"u8) ||
            bytes.StartsWith("II+\0"u8) || bytes.StartsWith("MM\0+"u8))
            return ImageFormat.Tiff;
        return HasBrand(bytes, "avif", "avis") ? ImageFormat.Avif : null;
    }

    private static string? OtherImage(ReadOnlySpan<byte> bytes)
    {
        if (HasBrand(bytes, "heic", "heix", "hevc", "mif1", "msf1"))
            return "HEIC";
        if (bytes.StartsWith("BM"u8) && bytes.Length > 26)
            return "BMP";
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0, 0, 1, 0]))
            return "ICO";
        if (bytes.StartsWith("8BPS"u8))
            return "PSD";
        if (bytes.StartsWith("%PDF"u8))
            return "PDF";
        if (bytes.StartsWith("%!PS"u8) || bytes.StartsWith((ReadOnlySpan<byte>)[0xC5, 0xD0, 0xD3, 0xC6]))
            return "PostScript";
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A]) || bytes.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', (byte)' ']))
            return "JPEG XL";
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'j', (byte)'P', (byte)' ', (byte)' ']) || bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51]))
            return "JPEG 2000";
        var start = bytes[..Math.Min(bytes.Length, 1_024)];
        return start.IndexOf("<svg"u8) >= 0 ? "SVG" : null;
    }

    /// <summary>Whether an ISO base media file has one of these as its major brand or among its compatible brands.</summary>
    private static bool HasBrand(ReadOnlySpan<byte> bytes, params ReadOnlySpan<string> brands)
    {
        if (bytes.Length < 16 || !bytes[4..].StartsWith("ftyp"u8))
            return false;
        var size = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(bytes), (uint)Math.Min(bytes.Length, 256));
        for (var at = 8; at + 4 <= size; at += at == 8 ? 8 : 4)
            foreach (var brand in brands)
                if (Ascii.Equals(bytes.Slice(at, 4), brand))
                    return true;
        return false;
    }
}
