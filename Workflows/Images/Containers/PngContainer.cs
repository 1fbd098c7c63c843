using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Darkroom.Images.Containers;

/// <summary>Reads PNG by its chunks (W3C PNG, third edition).</summary>
internal static class PngContainer
{
    private const int SignatureLength = 8;
    private const int MaxProfileBytes = 4_000_000;

    public static ImageHeader Inspect(ReadOnlySpan<byte> file)
    {
        ImageHeader? header = null;
        var chunks = new Chunks(file);
        while (chunks.Next())
        {
            var data = chunks.Data;
            if (header is null != chunks.Is("IHDR"u8))
                throw ImageContainers.Corrupt();
            if (header is null)
                header = ReadHeader(data);
            else if (chunks.Is("acTL"u8))
                header = header with { Frames = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(data), int.MaxValue), IsStillOfAnimation = true };
            else if (chunks.Is("eXIf"u8) && header.Orientation == 1)
                header = header with { Orientation = Exif.ReadOrientation(data) };
            else if (chunks.Is("iCCP"u8) && header.Profile is null)
                header = header with { Profile = Decompress(data) };
            else if (chunks.IsCritical && !chunks.Is("PLTE"u8) && !chunks.Is("IDAT"u8) && !chunks.Is("IEND"u8))
                throw ImageContainers.Corrupt();
        }

        if (header is null)
            throw ImageContainers.Corrupt();
        // An animation of one frame is a still image.
        return header.Frames <= 1 ? header with { Frames = 1, IsStillOfAnimation = false } : header;
    }

    public static void Rewrite(ReadOnlySpan<byte> file, PooledBuffer output, int orientation, bool keepProfile)
    {
        output.Append(file[..SignatureLength]);
        var chunks = new Chunks(file);
        while (chunks.Next())
        {
            if (IsPixels(chunks) || keepProfile && chunks.Is("iCCP"u8))
                output.Append(chunks.Whole);
            if (orientation > 1 && chunks.Is("IHDR"u8))
                Write(output, "eXIf"u8, Exif.WriteOrientation(orientation));
        }
    }

    /// <summary>Chunks that hold pixels or frames, or affect how they look.</summary>
    private static bool IsPixels(Chunks chunks) =>
        chunks.IsCritical ||
        chunks.Is("tRNS"u8) || chunks.Is("gAMA"u8) || chunks.Is("cHRM"u8) || chunks.Is("sRGB"u8) || chunks.Is("cICP"u8) ||
        chunks.Is("acTL"u8) || chunks.Is("fcTL"u8) || chunks.Is("fdAT"u8);

    private static ImageHeader ReadHeader(ReadOnlySpan<byte> data)
    {
        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(data), BinaryPrimitives.ReadUInt32BigEndian(data[4..]));
        return new ImageHeader(
            ImageFormat.Png,
            Width: (int)Math.Min(width, int.MaxValue),
            Height: (int)Math.Min(height, int.MaxValue),
            Interlaced: data[12] == 1,
            BitsPerSample: data[8]);
    }

    /// <summary>Decompresses the profile of an iCCP chunk, up to a reasonable size.</summary>
    private static byte[]? Decompress(ReadOnlySpan<byte> data)
    {
        var name = data.IndexOf((byte)0);
        if (name is < 1 or > 79 || data.Length < name + 2 || data[name + 1] != 0)
            return null;
        try
        {
            using var packed = new MemoryStream(data[(name + 2)..].ToArray());
            using var unpacked = new ZLibStream(packed, CompressionMode.Decompress);
            using var profile = new PooledBuffer();
            while (profile.Length <= MaxProfileBytes)
            {
                var count = unpacked.Read(profile.GetSpan(4_096));
                if (count == 0)
                    return profile.Span.ToArray();
                profile.Advance(count);
            }
        }
        catch (InvalidDataException)
        {
            // Ignore a profile that cannot be decompressed; the pixels may still be fine.
        }

        return null;
    }

    private static void Write(PooledBuffer output, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        output.Append(number);
        var start = output.Length;
        output.Append(type);
        output.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.HashToUInt32(output.Span[start..]));
        output.Append(number);
    }

    private ref struct Chunks(ReadOnlySpan<byte> file)
    {
        private readonly ReadOnlySpan<byte> _file = file;
        private int _at = SignatureLength;
        private bool _ended;

        /// <summary>Length, type, data and checksum.</summary>
        public ReadOnlySpan<byte> Whole { get; private set; }

        public readonly ReadOnlySpan<byte> Data => Whole[8..^4];

        public readonly bool IsCritical => (Whole[4] & 0x20) == 0;

        public readonly bool Is(ReadOnlySpan<byte> type) => Whole.Slice(4, 4).SequenceEqual(type);

        /// <summary>Stops after IEND, whatever follows; a file without it is truncated.</summary>
        public bool Next()
        {
            if (_ended)
                return false;
            var length = BinaryPrimitives.ReadUInt32BigEndian(_file[_at..]);
            Whole = _file.Slice(_at, checked((int)(length + 12)));
            _at += Whole.Length;
            _ended = Is("IEND"u8);
            return true;
        }
    }
}
