using System.Buffers.Binary;

namespace Darkroom.Images.Containers;

/// <summary>Reads WebP by its RIFF chunks (RFC 9649).</summary>
internal static class WebpContainer
{
    private const byte ProfileFlag = 0x20;
    private const byte ExifFlag = 0x08;
    private const byte XmpFlag = 0x04;

    public static ImageHeader Inspect(ReadOnlySpan<byte> file)
    {
        (int Width, int Height)? canvas = null;
        var (orientation, frames, images) = (1, 0, 0);
        byte[]? profile = null;
        var chunks = new Chunks(file);
        while (chunks.Next())
        {
            if (chunks.Is("VP8X"u8))
                canvas ??= (1 + Read24(chunks.Data[4..]), 1 + Read24(chunks.Data[7..]));
            else if (chunks.Is("ANMF"u8))
                frames++;
            else if (chunks.Is("EXIF"u8) && orientation == 1)
                orientation = ReadOrientation(chunks.Data);
            else if (chunks.Is("ICCP"u8))
                profile ??= chunks.Data.ToArray();
            else if (chunks.Is("VP8 "u8) && images++ == 0)
                canvas ??= ReadLossy(chunks.Data);
            else if (chunks.Is("VP8L"u8) && images++ == 0)
                canvas ??= ReadLossless(chunks.Data);
        }

        if (canvas is not { } size || frames + images == 0)
            throw ImageContainers.Corrupt();
        return new ImageHeader(ImageFormat.Webp, size.Width, size.Height, Math.Max(frames, 1), orientation, Profile: profile);
    }

    public static void Rewrite(ReadOnlySpan<byte> file, PooledBuffer output, int orientation, bool keepProfile)
    {
        output.Append("RIFF\0\0\0\0WEBP"u8);
        var extended = false;
        var chunks = new Chunks(file);
        while (chunks.Next())
        {
            if (chunks.Is("VP8X"u8))
            {
                extended = true;
                WriteExtended(output, chunks.Data, orientation > 1, keepProfile);
            }
            else if (IsPixels(chunks) || keepProfile && chunks.Is("ICCP"u8))
                output.Append(chunks.Whole);
        }

        if (extended && orientation > 1)
            Write(output, "EXIF"u8, Exif.WriteOrientation(orientation));
        Span<byte> size = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, output.Length - 8);
        output.WriteAt(4, size);
    }

    private static bool IsPixels(Chunks chunks) =>
        chunks.Is("VP8 "u8) || chunks.Is("VP8L"u8) || chunks.Is("ALPH"u8) || chunks.Is("ANIM"u8) || chunks.Is("ANMF"u8);

    private static void WriteExtended(PooledBuffer output, ReadOnlySpan<byte> data, bool exif, bool keepProfile)
    {
        Span<byte> extended = stackalloc byte[10];
        data[..10].CopyTo(extended);
        extended[0] &= unchecked((byte)~(XmpFlag | ExifFlag));
        if (!keepProfile)
            extended[0] &= unchecked((byte)~ProfileFlag);
        if (exif)
            extended[0] |= ExifFlag;
        Write(output, "VP8X"u8, extended);
    }

    private static void Write(PooledBuffer output, scoped ReadOnlySpan<byte> type, scoped ReadOnlySpan<byte> data)
    {
        Span<byte> size = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, data.Length);
        output.Append(type);
        output.Append(size);
        output.Append(data);
        if (data.Length % 2 == 1)
            output.Append([0]);
    }

    /// <summary>Some writers put the "Exif" prefix of JPEG before the block.</summary>
    private static int ReadOrientation(ReadOnlySpan<byte> data) =>
        Exif.ReadOrientation(data.StartsWith("Exif\0\0"u8) ? data[6..] : data);

    private static (int Width, int Height) ReadLossy(ReadOnlySpan<byte> data) => (
        BinaryPrimitives.ReadUInt16LittleEndian(data[6..]) & 0x3FFF,
        BinaryPrimitives.ReadUInt16LittleEndian(data[8..]) & 0x3FFF);

    private static (int Width, int Height) ReadLossless(ReadOnlySpan<byte> data)
    {
        var bits = BinaryPrimitives.ReadUInt32LittleEndian(data[1..]);
        return (1 + (int)(bits & 0x3FFF), 1 + (int)((bits >> 14) & 0x3FFF));
    }

    private static int Read24(ReadOnlySpan<byte> bytes) => bytes[0] | bytes[1] << 8 | bytes[2] << 16;

    private ref struct Chunks
    {
        private ReadOnlySpan<byte> _rest;

        public Chunks(ReadOnlySpan<byte> file)
        {
            var riff = checked((int)BinaryPrimitives.ReadUInt32LittleEndian(file[4..]));
            _rest = file[12..Math.Min(file.Length, 8 + (riff & ~1))];
        }

        public ReadOnlySpan<byte> Type { get; private set; }

        public ReadOnlySpan<byte> Data { get; private set; }

        /// <summary>Including the padding byte, if the file has it: some leave it out at the end.</summary>
        public ReadOnlySpan<byte> Whole { get; private set; }

        public readonly bool Is(ReadOnlySpan<byte> type) => Type.SequenceEqual(type);

        public bool Next()
        {
            if (_rest.Length < 8)
                return false;
            var length = checked((int)BinaryPrimitives.ReadUInt32LittleEndian(_rest[4..]));
            Type = _rest[..4];
            Data = _rest.Slice(8, length);
            Whole = _rest[..Math.Min(_rest.Length, 8 + length + length % 2)];
            _rest = _rest[Whole.Length..];
            return true;
        }
    }
}
