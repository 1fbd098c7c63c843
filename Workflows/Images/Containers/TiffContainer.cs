using System.Buffers.Binary;

namespace Darkroom.Images.Containers;

/// <summary>Reads TIFF and BigTIFF by their directories, just enough to know what decoding would cost.</summary>
internal static class TiffContainer
{
    /// <summary>The frame limit refuses longer chains anyway; this also bounds the work for them.</summary>
    private const int MaxDirectories = 100_001;

    private const int MaxEntries = 4_096;

    public static ImageHeader Inspect(ReadOnlySpan<byte> file)
    {
        var reader = new Reader(file);
        var at = reader.FirstDirectory;
        ImageHeader? first = null;
        var pages = 0;
        var sameSize = true;
        var seen = new HashSet<long>();
        while (at != 0 && pages < MaxDirectories && seen.Add(at))
        {
            var (page, next) = reader.ReadDirectory(at);
            first ??= page;
            sameSize &= (page.Width, page.Height) == (first.Width, first.Height);
            pages++;
            at = next;
        }

        if (first is null)
            throw ImageContainers.Corrupt();
        // Pages of different sizes cannot be decoded together: treat the first as the image and the others as previews.
        return first with { Frames = sameSize || pages > 1_000 ? pages : 1 };
    }

    private readonly ref struct Reader
    {
        private readonly ReadOnlySpan<byte> _file;
        private readonly bool _little;
        private readonly bool _big;

        public Reader(ReadOnlySpan<byte> file)
        {
            _file = file;
            _little = file[0] == (byte)'I';
            _big = UInt16(2) == 43;
        }

        public long FirstDirectory => _big ? Offset64(8) : UInt32(4);

        public (ImageHeader Page, long Next) ReadDirectory(long at)
        {
            var position = checked((int)at);
            var count = _big ? Offset64(position) : UInt16(position);
            if (count > MaxEntries)
                throw ImageContainers.Corrupt();
            position += _big ? 8 : 2;
            var page = new ImageHeader(ImageFormat.Tiff, 0, 0, BitsPerSample: 1);
            for (var i = 0; i < count; i++, position += _big ? 20 : 12)
                page = Apply(page, position);
            return (page, Next(position));
        }

        /// <summary>A size that is given twice, and differently, is refused: the specification allows a tag once, and decoders may take either.</summary>
        private int Size(int known, int entry)
        {
            var value = Value(entry);
            return known == 0 || known == value ? value : throw ImageContainers.Corrupt();
        }

        /// <summary>Some writers leave out the last offset.</summary>
        private long Next(int position)
        {
            if (_file.Length - position < (_big ? 8 : 4))
                return 0;
            return _big ? Offset64(position) : UInt32(position);
        }

        private ImageHeader Apply(ImageHeader page, int entry) => UInt16(entry) switch
        {
            256 => page with { Width = Size(page.Width, entry) },
            257 => page with { Height = Size(page.Height, entry) },
            258 => page with { BitsPerSample = Value(entry) },
            274 => page with { Orientation = Value(entry) is >= 1 and <= 8 and var orientation ? orientation : 1 },
            _ => page,
        };

        /// <summary>The first value of an entry; values that do not fit inline are stored elsewhere.</summary>
        private int Value(int entry)
        {
            var type = UInt16(entry + 2);
            var count = _big ? Offset64(entry + 4) : UInt32(entry + 4);
            var inline = entry + (_big ? 12 : 8);
            var size = type switch { 1 => 1, 3 => 2, 4 => 4, 16 => 8, _ => 0 };
            if (size == 0 || count < 1)
                return 0;
            if (count > (_big ? 8 : 4) / size)
                inline = checked((int)(_big ? Offset64(inline) : UInt32(inline)));
            var value = size switch { 1 => _file[inline], 2 => UInt16(inline), 4 => UInt32(inline), _ => Offset64(inline) };
            return (int)Math.Min(value, int.MaxValue);
        }

        private ushort UInt16(int at) =>
            _little ? BinaryPrimitives.ReadUInt16LittleEndian(_file[at..]) : BinaryPrimitives.ReadUInt16BigEndian(_file[at..]);

        private long UInt32(int at) =>
            _little ? BinaryPrimitives.ReadUInt32LittleEndian(_file[at..]) : BinaryPrimitives.ReadUInt32BigEndian(_file[at..]);

        private long Offset64(int at) => checked((long)(
            _little ? BinaryPrimitives.ReadUInt64LittleEndian(_file[at..]) : BinaryPrimitives.ReadUInt64BigEndian(_file[at..])));
    }
}
