using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using Darkroom.Images;
using Darkroom.Images.Containers;
using NetVips;

namespace Darkroom.Tests.Images;

/// <summary>Images that the tests draw themselves, good and hostile.</summary>
internal static class TestImages
{
    /// <summary>Text that hides in every kind of metadata; no output may contain it.</summary>
    public const string Secret = "SECRET-51.5007N-0.1246W";

    private static byte[] SecretBytes => Encoding.ASCII.GetBytes(Secret);

    /// <summary>One white pixel.</summary>
    public static byte[] TinyGif => System.Convert.FromBase64String("R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==");

    /// <summary>Smooth colours under noise: large when stored well, much smaller at quality 50.</summary>
    public static Image Photo(int width, int height)
    {
        using var places = Image.Xyz(width, height);
        using var red = places[0] * (220.0 / width);
        using var green = places[1] * (220.0 / height);
        using var blue = 200 - red / 2 - green / 3;
        using var joined = red.Bandjoin(green, blue);
        using var noise = Image.Gaussnoise(width, height, sigma: 12, mean: 10, seed: 7);
        using var noisy = joined + noise;
        using var bytes = noisy.Cast(Enums.BandFormat.Uchar);
        return bytes.Copy(interpretation: Enums.Interpretation.Srgb);
    }

    public static Image WithAlpha(Image image)
    {
        using var places = Image.Xyz(image.Width, image.Height);
        using var ramp = places[0] * (255.0 / image.Width);
        using var alpha = ramp.Cast(Enums.BandFormat.Uchar);
        using var joined = image.Bandjoin(alpha);
        return joined.Copy(interpretation: Enums.Interpretation.Srgb);
    }

    /// <summary>Four quarters: red, green over blue, white.</summary>
    public static Image Quarters(int width, int height)
    {
        using var places = Image.Xyz(width, height);
        using var right = places[0] >= width / 2;
        using var low = places[1] >= height / 2;
        using var isWhite = right & low;
        using var notRight = right ^ 255;
        using var notLow = low ^ 255;
        using var isRed = notRight & notLow;
        using var isGreen = right & notLow;
        using var isBlue = notRight & low;
        using var red = isRed | isWhite;
        using var green = isGreen | isWhite;
        using var blue = isBlue | isWhite;
        using var joined = red.Bandjoin(green, blue);
        using var noise = Image.Gaussnoise(width, height, sigma: 6, mean: 0, seed: 3);
        using var noisy = joined + noise;
        using var bytes = noisy.Cast(Enums.BandFormat.Uchar);
        return bytes.Copy(interpretation: Enums.Interpretation.Srgb);
    }

    public static byte[] Encode(Image image, ImageFormat format, int quality = 92)
    {
        // By default libvips adds a little EXIF of its own.
        const Enums.ForeignKeep keep = Enums.ForeignKeep.Icc;
        return format switch
        {
            ImageFormat.Jpeg => image.JpegsaveBuffer(q: quality, keep: keep),
            ImageFormat.Png => image.PngsaveBuffer(keep: keep),
            ImageFormat.Webp => image.WebpsaveBuffer(q: quality, keep: keep),
            ImageFormat.Gif => image.GifsaveBuffer(),
            ImageFormat.Tiff => image.TiffsaveBuffer(compression: Enums.ForeignTiffCompression.Lzw, keep: keep),
            ImageFormat.Avif => image.HeifsaveBuffer(q: quality, compression: Enums.ForeignHeifCompression.Av1, effort: 0, keep: keep),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
    }

    public static byte[] Photo(ImageFormat format, int width = 160, int height = 120)
    {
        using var photo = Photo(width, height);
        return Encode(photo, format);
    }

    public static byte[] Animation(ImageFormat format, int frames, int width = 48, int height = 32)
    {
        var pictures = Enumerable.Range(0, frames).Select(i =>
        {
            using var photo = Photo(width, height);
            return photo.Wrap(x: i * 3, y: i);
        }).ToArray();
        using var roll = Image.Arrayjoin(pictures, across: 1);
        foreach (var picture in pictures) picture.Dispose();
        using var film = roll.Mutate(image =>
        {
            image.Set(GValue.GIntType, "page-height", height);
            image.Set(GValue.ArrayIntType, "delay", Enumerable.Repeat(120, frames).ToArray());
            image.Set(GValue.GIntType, "loop", 3);
        });
        return Encode(film, format);
    }

    /// <summary>An EXIF block as a camera writes it: orientation, and what nobody should learn.</summary>
    public static byte[] Exif(int orientation)
    {
        var text = SecretBytes;
        byte[] block =
        [
            (byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0, 2, 0,
            0x0E, 0x01, 2, 0, .. BitConverter.GetBytes(text.Length), 38, 0, 0, 0,
            0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0,
            0, 0, 0, 0,
            .. text,
        ];
        return block;
    }

    public static byte[] JpegSegment(byte marker, ReadOnlySpan<byte> payload) =>
        [0xFF, marker, (byte)((payload.Length + 2) >> 8), (byte)(payload.Length + 2), .. payload];

    /// <summary>Segments put behind the start of image.</summary>
    public static byte[] InsertJpeg(byte[] jpeg, params byte[][] segments) => [.. jpeg[..2], .. segments.SelectMany(segment => segment), .. jpeg[2..]];

    public static byte[] OrientedJpeg(byte[] jpeg, int orientation) =>
        InsertJpeg(jpeg, JpegSegment(0xE1, [.. "Exif\0\0"u8, .. Exif(orientation)]));

    public static byte[] PngChunk(string type, ReadOnlySpan<byte> data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        var chunk = new byte[body.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        body.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(body.Length + 4), Crc32.HashToUInt32(body));
        return chunk;
    }

    /// <summary>Chunks put behind the header.</summary>
    public static byte[] InsertPng(byte[] png, params byte[][] chunks) => [.. png[..33], .. chunks.SelectMany(chunk => chunk), .. png[33..]];

    public static byte[] Deflate(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest)) zlib.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>The good image of a format, with the secret in every place that the format has for metadata.</summary>
    public static byte[] WithSecrets(ImageFormat format)
    {
        var image = Photo(format);
        var xmp = Encoding.ASCII.GetBytes($"<x:xmpmeta>{Secret}</x:xmpmeta>");
        return format switch
        {
            ImageFormat.Jpeg =>
            [
                .. InsertJpeg(
                    image,
                    JpegSegment(0xE1, [.. "Exif\0\0"u8, .. Exif(1)]),
                    JpegSegment(0xE1, [.. "http://ns.adobe.com/xap/1.0/\0"u8, .. xmp]),
                    JpegSegment(0xED, [.. "Photoshop 3.0\0"u8, .. SecretBytes]),
                    JpegSegment(0xE2, [.. "MPF\0"u8, .. SecretBytes]),
                    JpegSegment(0xEF, SecretBytes),
                    JpegSegment(0xFE, SecretBytes)),
                .. "PK"u8, .. SecretBytes,
            ],
            ImageFormat.Png =>
            [
                .. InsertPng(
                    image,
                    PngChunk("tEXt", [.. "Comment\0"u8, .. SecretBytes]),
                    PngChunk("iTXt", [.. "XML:com.adobe.xmp\0\0\0\0\0"u8, .. xmp]),
                    PngChunk("eXIf", Exif(1)),
                    PngChunk("tIME", [7, 0xE8, 1, 1, 1, 1, 1]),
                    PngChunk("prVt", SecretBytes)),
                .. SecretBytes,
            ],
            ImageFormat.Webp => ExtendWebp(image, ("EXIF", Exif(1)), ("XMP ", xmp), ("PRIV", SecretBytes)),
            ImageFormat.Gif => [.. image[..^1], 0x21, 0xFE, (byte)Secret.Length, .. SecretBytes, 0, 0x3B, .. SecretBytes],
            ImageFormat.Tiff => SecretByLibrary(photo => photo.TiffsaveBuffer(compression: Enums.ForeignTiffCompression.Lzw, keep: Enums.ForeignKeep.All)),
            _ => SecretByLibrary(photo => photo.HeifsaveBuffer(q: 92, compression: Enums.ForeignHeifCompression.Av1, effort: 0, keep: Enums.ForeignKeep.All)),
        };
    }

    public static byte[] ExtendWebp(byte[] webp, params (string Type, byte[] Data)[] chunks)
    {
        var header = ImageContainers.Inspect(ImageFormat.Webp, webp);
        var extended = new byte[10];
        extended[0] = 0x08 | 0x04;
        if (chunks.Any(chunk => chunk.Type == "ICCP")) extended[0] |= 0x20;
        BinaryPrimitives.WriteInt32LittleEndian(extended.AsSpan(4), header.Width - 1);
        extended[7] = (byte)(header.Height - 1);
        extended[8] = (byte)((header.Height - 1) >> 8);
        var simple = webp[12..];
        byte[] body =
        [
            .. "WEBP"u8,
            .. Riff("VP8X", extended),
            .. chunks.Where(chunk => chunk.Type == "ICCP").SelectMany(chunk => Riff(chunk.Type, chunk.Data)),
            .. simple,
            .. chunks.Where(chunk => chunk.Type != "ICCP").SelectMany(chunk => Riff(chunk.Type, chunk.Data)),
        ];
        return [.. "RIFF"u8, .. BitConverter.GetBytes(body.Length), .. body];
    }

    private static byte[] Riff(string type, byte[] data) =>
        [.. Encoding.ASCII.GetBytes(type), .. BitConverter.GetBytes(data.Length), .. data, .. new byte[data.Length % 2]];

    private static byte[] SecretByLibrary(Func<Image, byte[]> save)
    {
        using var photo = Photo(160, 120);
        using var marked = photo.Mutate(image =>
        {
            image.Set(GValue.BlobType, "xmp-data", Encoding.ASCII.GetBytes($"<x:xmpmeta>{Secret}</x:xmpmeta>"));
            image.Set(GValue.BlobType, "exif-data", (byte[])[.. "Exif\0\0"u8, .. Exif(1)]);
            image.Set(GValue.GStrType, "image-description", Secret);
        });
        return save(marked);
    }

    public static byte[] PngClaiming(uint width, uint height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(header, width);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        return [0x89, .. "PNG\r\n\x1a\n"u8, .. PngChunk("IHDR", header), .. PngChunk("IDAT", Deflate(new byte[100])), .. PngChunk("IEND", [])];
    }

    /// <summary>A real JPEG whose frame header claims another size.</summary>
    public static byte[] JpegClaiming(int width, int height, bool progressive)
    {
        using var photo = Photo(16, 16);
        var jpeg = photo.JpegsaveBuffer(interlace: progressive);
        var frame = jpeg.AsSpan().IndexOf((byte[])[0xFF, progressive ? (byte)0xC2 : (byte)0xC0]);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), (ushort)width);
        return jpeg;
    }

    /// <summary>The last scan of a progressive JPEG, over and over.</summary>
    public static byte[] JpegWithScans(int count)
    {
        using var photo = Photo(16, 16);
        var jpeg = photo.JpegsaveBuffer(interlace: true);
        var last = jpeg.AsSpan().LastIndexOf((byte[])[0xFF, 0xDA]);
        return [.. jpeg[..last], .. Enumerable.Repeat(jpeg[last..^2], count).SelectMany(scan => scan), 0xFF, 0xD9];
    }

    public static byte[] GifOfFrames(int count, short side)
    {
        byte[] frame = [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0];
        byte[] head = [.. "GIF89a"u8, .. BitConverter.GetBytes(side), .. BitConverter.GetBytes(side), 0x80, 0, 0, 255, 255, 255, 0, 0, 0];
        return [.. head, .. Enumerable.Repeat(frame, count).SelectMany(bytes => bytes), 0x3B];
    }

    public static byte[] TiffClaiming(int width, int height, int pages = 1)
    {
        using var file = new MemoryStream();
        file.Write("II*\0"u8);
        file.Write(BitConverter.GetBytes(8));
        for (var page = 0; page < pages; page++)
        {
            file.Write(BitConverter.GetBytes((short)2));
            file.Write((byte[])[0, 1, 4, 0, 1, 0, 0, 0, .. BitConverter.GetBytes(width), 1, 1, 4, 0, 1, 0, 0, 0, .. BitConverter.GetBytes(height)]);
            file.Write(BitConverter.GetBytes(page == pages - 1 ? 0 : (int)file.Position + 4));
        }

        return file.ToArray();
    }
}
