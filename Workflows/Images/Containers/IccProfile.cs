using System.Buffers.Binary;

namespace Darkroom.Images.Containers;

/// <summary>An ICC colour profile, parsed only as far as needed to decide whether the output keeps it.</summary>
/// <param name="Channels">Channels of the pixels it describes: 1 for grey, 3 for RGB, 4 for CMYK.</param>
/// <param name="IsSrgb">Whether it is sRGB, which is assumed for an image without a profile anyway.</param>
internal sealed record IccProfile(int Channels, bool IsSrgb)
{
    private const int HeaderBytes = 128;

    // The primaries of sRGB adapted to D50, as sRGB profiles state them, and the tolerances within which a profile counts as sRGB.
    private static readonly double[][] SrgbPrimaries = [[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]];
    private const double PrimaryTolerance = 0.003;
    private const double CurveTolerance = 0.005;

    /// <summary>Null if the bytes are not a profile, or one for a colour space that we do not support.</summary>
    public static IccProfile? Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (bytes.Length < HeaderBytes + 4 || !bytes[36..].StartsWith("acsp"u8))
                return null;
            if (BinaryPrimitives.ReadUInt32BigEndian(bytes) != bytes.Length)
                return null;
            var tags = ReadTags(bytes);
            if (tags is null)
                return null;
            var space = bytes.Slice(16, 4);
            if (space.SequenceEqual("RGB "u8))
                return new IccProfile(3, IsSrgbMatrix(bytes, tags));
            if (space.SequenceEqual("GRAY"u8))
                return new IccProfile(1, IsSrgbCurve(Tag(bytes, tags, "kTRC"u8)));
            return space.SequenceEqual("CMYK"u8) ? new IccProfile(4, false) : null;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    private static Dictionary<uint, Range>? ReadTags(ReadOnlySpan<byte> bytes)
    {
        var count = BinaryPrimitives.ReadUInt32BigEndian(bytes[HeaderBytes..]);
        if (count > 200)
            return null;
        var tags = new Dictionary<uint, Range>();
        for (var i = 0; i < count; i++)
        {
            var entry = bytes.Slice(HeaderBytes + 4 + i * 12, 12);
            long offset = BinaryPrimitives.ReadUInt32BigEndian(entry[4..]), size = BinaryPrimitives.ReadUInt32BigEndian(entry[8..]);
            if (offset < HeaderBytes || offset + size > bytes.Length)
                return null;
            tags[BinaryPrimitives.ReadUInt32BigEndian(entry)] = (int)offset..(int)(offset + size);
        }

        return tags;
    }

    private static ReadOnlySpan<byte> Tag(ReadOnlySpan<byte> bytes, Dictionary<uint, Range> tags, ReadOnlySpan<byte> name) =>
        tags.TryGetValue(BinaryPrimitives.ReadUInt32BigEndian(name), out var range) ? bytes[range] : [];

    /// <summary>Compares numbers rather than names: profiles with the same name differ, and sRGB has many names.</summary>
    private static bool IsSrgbMatrix(ReadOnlySpan<byte> bytes, Dictionary<uint, Range> tags) =>
        // If there are lookup tables, they take precedence over the matrix.
        Tag(bytes, tags, "A2B0"u8).IsEmpty &&
        IsPrimary(Tag(bytes, tags, "rXYZ"u8), SrgbPrimaries[0]) &&
        IsPrimary(Tag(bytes, tags, "gXYZ"u8), SrgbPrimaries[1]) &&
        IsPrimary(Tag(bytes, tags, "bXYZ"u8), SrgbPrimaries[2]) &&
        IsSrgbCurve(Tag(bytes, tags, "rTRC"u8)) &&
        IsSrgbCurve(Tag(bytes, tags, "gTRC"u8)) &&
        IsSrgbCurve(Tag(bytes, tags, "bTRC"u8));

    private static bool IsPrimary(ReadOnlySpan<byte> tag, double[] expected)
    {
        if (tag.Length < 20)
            return false;
        for (var i = 0; i < 3; i++)
            if (Math.Abs(Fixed(tag[(8 + i * 4)..]) - expected[i]) > PrimaryTolerance)
                return false;
        return true;
    }

    private static bool IsSrgbCurve(ReadOnlySpan<byte> tag)
    {
        if (tag.Length < 12)
            return false;
        for (var i = 1; i < 16; i++)
        {
            var x = i / 16.0;
            var value = tag.StartsWith("curv"u8) ? Table(tag, x) : tag.StartsWith("para"u8) ? Parametric(tag, x) : double.NaN;
            if (!(Math.Abs(value - Srgb(x)) <= CurveTolerance))
                return false;
        }

        return true;
    }

    private static double Srgb(double x) => x <= 0.04045 ? x / 12.92 : Math.Pow((x + 0.055) / 1.055, 2.4);

    private static double Table(ReadOnlySpan<byte> tag, double x)
    {
        var count = BinaryPrimitives.ReadInt32BigEndian(tag[8..]);
        if (count == 0)
            return x;
        if (count == 1)
            return Math.Pow(x, BinaryPrimitives.ReadUInt16BigEndian(tag[12..]) / 256.0);
        var place = x * (count - 1);
        var below = (int)place;
        double low = BinaryPrimitives.ReadUInt16BigEndian(tag[(12 + below * 2)..]);
        double high = BinaryPrimitives.ReadUInt16BigEndian(tag[(12 + Math.Min(below + 1, count - 1) * 2)..]);
        return (low + (high - low) * (place - below)) / 65_535;
    }

    /// <summary>Function types 0 to 4 of ICC.1:2022, 10.18.</summary>
    private static double Parametric(ReadOnlySpan<byte> tag, double x)
    {
        var type = BinaryPrimitives.ReadUInt16BigEndian(tag[8..]);
        Span<double> p = stackalloc double[7];
        p.Clear();
        var count = type switch { 0 => 1, 1 => 3, 2 => 4, 3 => 5, 4 => 7, _ => 0 };
        if (count == 0)
            return double.NaN;
        for (var i = 0; i < count; i++)
            p[i] = Fixed(tag[(12 + i * 4)..]);
        var (g, a, b, c, d, e, f) = (p[0], p[1], p[2], p[3], p[4], p[5], p[6]);
        return type switch
        {
            0 => Math.Pow(x, g),
            1 => x >= -b / a ? Math.Pow(a * x + b, g) : 0,
            2 => x >= -b / a ? Math.Pow(a * x + b, g) + c : c,
            3 => x >= d ? Math.Pow(a * x + b, g) : c * x,
            _ => x >= d ? Math.Pow(a * x + b, g) + e : c * x + f,
        };
    }

    private static double Fixed(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32BigEndian(bytes) / 65_536.0;
}
