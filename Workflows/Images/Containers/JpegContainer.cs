using System.Buffers.Binary;

namespace Darkroom.Images.Containers;

/// <summary>Reads JPEG by its marker segments (ITU T.81, annex B).</summary>
internal static class JpegContainer
{
    /// <summary>Larger profiles are ignored. CMYK profiles of 2 MB are common.</summary>
    private const int MaxProfileBytes = 4_000_000;

    private static ReadOnlySpan<byte> ExifName => "Exif\0\0"u8;
    private static ReadOnlySpan<byte> ProfileName => "ICC_PROFILE\0"u8;

    public static ImageHeader Inspect(ReadOnlySpan<byte> file)
    {
        ImageHeader? header = null;
        var (orientation, scans) = (0, 0);
        List<byte[]>? profile = null;
        var segments = new JpegSegments(file);
        while (segments.Next())
        {
            var payload = segments.Payload;
            if (IsFrame(segments.Marker))
            {
                if (header is not null)
                    throw ImageContainers.Corrupt();
                header = ReadFrame(segments.Marker, payload);
            }
            else if (segments.Marker == JpegMarker.Sos)
                scans++;
            else if (segments.Marker == JpegMarker.App1 && orientation == 0 && payload.StartsWith(ExifName))
                orientation = Exif.ReadOrientation(payload[6..]);
            else if (segments.Marker == JpegMarker.App2 && payload.StartsWith(ProfileName))
                (profile ??= []).Add(payload[12..].ToArray());
        }

        if (header is null || scans == 0)
            throw ImageContainers.Corrupt();
        return header with { Orientation = Math.Max(orientation, 1), Scans = scans, Profile = Join(profile) };
    }

    public static void Rewrite(ReadOnlySpan<byte> file, PooledBuffer output, int orientation, bool keepProfile)
    {
        output.Append([0xFF, 0xD8]);
        // JFIF must be the first segment, but EXIF may come second: write ours before the first segment that is not APP0.
        var exifPending = orientation > 1;
        var segments = new JpegSegments(file);
        while (segments.Next())
        {
            if (exifPending && segments.Marker != JpegMarker.App0)
            {
                JpegSegments.Write(output, JpegMarker.App1, [.. ExifName, .. Exif.WriteOrientation(orientation)]);
                exifPending = false;
            }

            WriteKept(segments, output, keepProfile);
        }
    }

    private static void WriteKept(JpegSegments segments, PooledBuffer output, bool keepProfile)
    {
        var payload = segments.Payload;
        switch (segments.Marker)
        {
            // Without its thumbnail.
            case JpegMarker.App0 when payload.Length >= 14 && payload.StartsWith("JFIF\0"u8):
                JpegSegments.Write(output, JpegMarker.App0, [.. payload[..12], 0, 0]);
                break;
            // Marks YCCK and RGB data, which the component count alone would misinterpret.
            case JpegMarker.App14 when payload.Length >= 12 && payload.StartsWith("Adobe"u8):
                JpegSegments.Write(output, JpegMarker.App14, payload[..12]);
                break;
            case JpegMarker.App2 when keepProfile && payload.StartsWith(ProfileName):
            case >= 0xC0 and <= 0xCF:
            case 0xDB or 0xDC or 0xDD:
                JpegSegments.Write(output, segments.Marker, payload);
                break;
            case JpegMarker.Sos:
                JpegSegments.Write(output, JpegMarker.Sos, payload);
                output.Append(segments.Entropy);
                break;
            case JpegMarker.Eoi:
                output.Append([0xFF, JpegMarker.Eoi]);
                break;
        }
    }

    private static bool IsFrame(byte marker) => marker is >= 0xC0 and <= 0xCF and not 0xC4 and not 0xC8 and not 0xCC;

    private static ImageHeader ReadFrame(byte marker, ReadOnlySpan<byte> payload)
    {
        // Lossless and hierarchical frames, and samples other than 8 bits, are legal but not used on the web.
        if (marker is not (0xC0 or 0xC1 or 0xC2 or 0xC9 or 0xCA) || payload[0] != 8)
            throw new ImageFailedException(new(ImageFailureCodes.UnsupportedFormat, "This file type is not supported: lossless or 12-bit JPEG."));
        return new ImageHeader(
            ImageFormat.Jpeg,
            Width: BinaryPrimitives.ReadUInt16BigEndian(payload[3..]),
            Height: BinaryPrimitives.ReadUInt16BigEndian(payload[1..]),
            Interlaced: marker is 0xC2 or 0xCA,
            Components: payload[5]);
    }

    /// <summary>Each chunk carries its number and the count; unless they are exactly 1..n of n, there is no usable profile.</summary>
    private static byte[]? Join(List<byte[]>? chunks)
    {
        if (chunks is null || chunks.Sum(chunk => chunk.Length) > MaxProfileBytes)
            return null;
        if (chunks.Any(chunk => chunk.Length < 2 || chunk[1] != chunks.Count))
            return null;
        chunks.Sort((left, right) => left[0].CompareTo(right[0]));
        for (var i = 0; i < chunks.Count; i++)
            if (chunks[i][0] != i + 1)
                return null;
        return [.. chunks.SelectMany(chunk => chunk.Skip(2))];
    }
}
