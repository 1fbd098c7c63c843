using System.Buffers.Binary;

namespace Darkroom.Images.Containers;

/// <summary>Reads JPEG by its marker segments (ITU T.81, annex B).</summary>
internal static class JpegContainer
{
    private const byte Sos = 0xDA;
    private const byte Eoi = 0xD9;
    private const byte App0 = 0xE0;
    private const byte App1 = 0xE1;
    private const byte App2 = 0xE2;
    private const byte App14 = 0xEE;

    /// <summary>Larger profiles are ignored. CMYK profiles of 2 MB are common.</summary>
    private const int MaxProfileBytes = 4_000_000;

    private static ReadOnlySpan<byte> ExifName => "Exif\0\0"u8;
    private static ReadOnlySpan<byte> ProfileName => "ICC_PROFILE\0"u8;

    public static ImageHeader Inspect(ReadOnlySpan<byte> file)
    {
        ImageHeader? header = null;
        var (orientation, scans) = (0, 0);
        List<byte[]>? profile = null;
        var segments = new Segments(file);
        while (segments.Next())
        {
            var payload = segments.Payload;
            if (IsFrame(segments.Marker))
            {
                if (header is not null)
                    throw ImageContainers.Corrupt();
                header = ReadFrame(segments.Marker, payload);
            }
            else if (segments.Marker == Sos)
                scans++;
            else if (segments.Marker == App1 && orientation == 0 && payload.StartsWith(ExifName))
                orientation = Exif.ReadOrientation(payload[6..]);
            else if (segments.Marker == App2 && payload.StartsWith(ProfileName))
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
        var segments = new Segments(file);
        while (segments.Next())
        {
            if (exifPending && segments.Marker != App0)
            {
                WriteSegment(output, App1, [.. ExifName, .. Exif.WriteOrientation(orientation)]);
                exifPending = false;
            }

            WriteKept(segments, output, keepProfile);
        }
    }

    private static void WriteKept(Segments segments, PooledBuffer output, bool keepProfile)
    {
        var payload = segments.Payload;
        switch (segments.Marker)
        {
            // Without its thumbnail.
            case App0 when payload.Length >= 14 && payload.StartsWith("JFIF\0"u8):
                WriteSegment(output, App0, [.. payload[..12], 0, 0]);
                break;
            // Marks YCCK and RGB data, which the component count alone would misinterpret.
            case App14 when payload.Length >= 12 && payload.StartsWith("Adobe"u8):
                WriteSegment(output, App14, payload[..12]);
                break;
            case App2 when keepProfile && payload.StartsWith(ProfileName):
            case >= 0xC0 and <= 0xCF:
            case 0xDB or 0xDC or 0xDD:
                WriteSegment(output, segments.Marker, payload);
                break;
            case Sos:
                WriteSegment(output, Sos, payload);
                output.Append(segments.Entropy);
                break;
            case Eoi:
                output.Append([0xFF, Eoi]);
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
            Interlaced: marker is 0xC2 or 0xCA);
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

    private static void WriteSegment(PooledBuffer output, byte marker, scoped ReadOnlySpan<byte> payload)
    {
        var length = payload.Length + 2;
        output.Append([0xFF, marker, (byte)(length >> 8), (byte)length]);
        output.Append(payload);
    }

    /// <summary>Walks the marker segments, as tolerantly as common decoders: bytes between segments are skipped.</summary>
    private ref struct Segments(ReadOnlySpan<byte> file)
    {
        private readonly ReadOnlySpan<byte> _file = file;
        private int _at = 2;

        public byte Marker { get; private set; }

        public ReadOnlySpan<byte> Payload { get; private set; }

        /// <summary>After a start of scan: the entropy-coded data, including byte stuffing and restart markers.</summary>
        public ReadOnlySpan<byte> Entropy { get; private set; }

        public bool Next()
        {
            if (Marker == Eoi)
                return false;
            while (TryFindMarker(out var marker))
            {
                if (marker is 0x00 or 0x01 or >= 0xD0 and <= 0xD8)
                    continue;
                Marker = marker;
                Payload = Entropy = [];
                if (marker == Eoi)
                    return true;
                // A segment that extends past the end of the file is truncated: the decoder decides whether pixels are missing.
                if (_file.Length - _at < 2)
                    return false;
                int length = BinaryPrimitives.ReadUInt16BigEndian(_file[_at..]);
                if (length < 2)
                    throw ImageContainers.Corrupt();
                if (_file.Length - _at < length)
                    return false;
                Payload = _file.Slice(_at + 2, length - 2);
                _at += length;
                if (marker == Sos)
                    Entropy = TakeEntropy();
                return true;
            }

            return false;
        }

        private bool TryFindMarker(out byte marker)
        {
            marker = 0;
            var found = _file[_at..].IndexOf((byte)0xFF);
            if (found < 0)
                return false;
            _at += found;
            while (_at < _file.Length && _file[_at] == 0xFF)
                _at++;
            if (_at == _file.Length)
                return false;
            marker = _file[_at++];
            return true;
        }

        private ReadOnlySpan<byte> TakeEntropy()
        {
            var start = _at;
            while (true)
            {
                var found = _file[_at..].IndexOf((byte)0xFF);
                if (found < 0 || _at + found + 1 >= _file.Length)
                {
                    _at = _file.Length;
                    return _file[start..];
                }

                _at += found;
                if (_file[_at + 1] is not (0x00 or 0xFF or >= 0xD0 and <= 0xD7))
                    return _file[start.._at];
                _at += _file[_at + 1] == 0xFF ? 1 : 2;
            }
        }
    }
}
