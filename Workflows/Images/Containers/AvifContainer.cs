using System.Buffers.Binary;

namespace Darkroom.Images.Containers;

/// <summary>Reads AVIF by its boxes: the size of the largest image that it declares. The decoder applies rotation itself.</summary>
internal static class AvifContainer
{
    public static ImageHeader Inspect(ReadOnlySpan<byte> file)
    {
        var meta = Find(file, "meta"u8);
        // "meta" is a full box: version and flags come before its children.
        var properties = Find(Find(meta[4..], "iprp"u8), "ipco"u8);
        var header = new ImageHeader(ImageFormat.Avif, 0, 0);
        while (TryTake(ref properties, out var type, out var content))
        {
            if (!type.SequenceEqual("ispe"u8))
                continue;
            var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(content[4..]), BinaryPrimitives.ReadUInt32BigEndian(content[8..]));
            if ((ulong)width * height > (ulong)header.Pixels)
                header = header with { Width = (int)Math.Min(width, int.MaxValue), Height = (int)Math.Min(height, int.MaxValue) };
        }

        return header.Pixels > 0 ? header : throw ImageContainers.Corrupt();
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> boxes, scoped ReadOnlySpan<byte> wanted)
    {
        while (TryTake(ref boxes, out var type, out var content))
            if (type.SequenceEqual(wanted))
                return content;
        throw ImageContainers.Corrupt();
    }

    private static bool TryTake(scoped ref ReadOnlySpan<byte> boxes, out ReadOnlySpan<byte> type, out ReadOnlySpan<byte> content)
    {
        type = content = [];
        if (boxes.Length < 8)
            return false;
        var head = 8;
        ulong size = BinaryPrimitives.ReadUInt32BigEndian(boxes);
        if (size == 1)
            (size, head) = (BinaryPrimitives.ReadUInt64BigEndian(boxes[8..]), 16);
        if (size == 0)
            size = (ulong)boxes.Length;
        if (size < (ulong)head || size > (ulong)boxes.Length)
            throw ImageContainers.Corrupt();
        type = boxes.Slice(4, 4);
        content = boxes[head..(int)size];
        boxes = boxes[(int)size..];
        return true;
    }
}
