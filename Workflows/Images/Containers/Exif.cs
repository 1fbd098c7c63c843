using System.Buffers.Binary;

namespace Darkroom.Images.Containers;

/// <summary>Reads and writes the only EXIF value we keep: the orientation.</summary>
internal static class Exif
{
    private const ushort OrientationTag = 0x0112;

    /// <summary>The orientation in a block that starts with a TIFF header; 1 if it has no valid one.</summary>
    public static int ReadOrientation(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 14)
            return 1;
        bool little;
        if (tiff.StartsWith("II*\0"u8))
            little = true;
        else if (tiff.StartsWith("MM\0*"u8))
            little = false;
        else
            return 1;

        var directory = UInt32(tiff[4..], little);
        if (directory > tiff.Length - 2)
            return 1;
        var entries = tiff[(int)directory..];
        int count = UInt16(entries, little);
        entries = entries[2..];
        for (var i = 0; i < count && entries.Length >= (i + 1) * 12; i++)
        {
            var entry = entries.Slice(i * 12, 12);
            if (UInt16(entry, little) != OrientationTag)
                continue;
            int value = UInt16(entry[8..], little);
            return UInt16(entry[2..], little) == 3 && value is >= 1 and <= 8 ? value : 1;
        }

        return 1;
    }

    /// <summary>The smallest possible block: a TIFF header and a directory with one entry.</summary>
    public static byte[] WriteOrientation(int orientation) =>
    [
        (byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8,
        0, 1,
        0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0,
        0, 0, 0, 0,
    ];

    private static ushort UInt16(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private static uint UInt32(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
