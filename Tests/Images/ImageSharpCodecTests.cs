using Darkroom.Images;
using Darkroom.Images.Containers;
using Darkroom.Images.Decoders;
using Darkroom.Images.ImageSharp;
using Darkroom.Images.Vips;
using NetVips;

namespace Darkroom.Tests.Images;

/// <summary>Which images ImageSharp gets if it is chosen, and what becomes of those that it fails on.</summary>
public sealed class ImageSharpCodecTests
{
    private readonly ImageOptions _options = new() { Codec = ImageLibrary.ImageSharp };
    private readonly ImageSharpCodec _codec;

    public ImageSharpCodecTests()
    {
        VipsRuntime.EnsureStarted();
        _codec = new ImageSharpCodec(_options, TimeProvider.System);
    }

    [Theory]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Gif)]
    [InlineData(ImageFormat.Webp)]
    public void It_compresses_by_itself(ImageFormat format)
    {
        var file = TestImages.Photo(format);
        using var output = new PooledBuffer();
        var report = new PlanExecutor(_options, _codec).Run(file, CodecFixture.Compress, output);
        Assert.Equal((format, OutputEncoding.Encoded), (report.Output.Format, report.Encoding));
        Assert.InRange(output.Length, 1, file.Length - 1);
        using var before = CodecFixture.Decode(file);
        using var after = CodecFixture.Decode(output.Span.ToArray());
        Assert.InRange(ImageCodecTests.Difference(before, after), 0, 14);
    }

    public static TheoryData<string> LeftToLibvips =>
        ["tiff", "avif", "interlaced png", "cmyk jpeg", "animated webp", "grey jpeg with a profile", "webp of an animation", "png of a jpeg with a profile", "avif of a jpeg"];

    [Theory]
    [MemberData(nameof(LeftToLibvips))]
    public void It_leaves_what_it_cannot_do_to_libvips(string kind)
    {
        using var photo = TestImages.Photo(64, 48);
        using var cmyk = photo.IccTransform("cmyk", inputProfile: "srgb");
        using var grey = photo.Colourspace(Enums.Interpretation.Bw);
        var (file, target) = kind switch
        {
            "tiff" => (TestImages.Photo(ImageFormat.Tiff), (ImageFormat?)null),
            "avif" => (TestImages.Photo(ImageFormat.Avif), null),
            "interlaced png" => (photo.PngsaveBuffer(interlace: true), null),
            "cmyk jpeg" => (cmyk.JpegsaveBuffer(), null),
            "animated webp" => (TestImages.Animation(ImageFormat.Webp, frames: 3), null),
            "grey jpeg with a profile" => (TestImages.InsertJpeg(grey.JpegsaveBuffer(), ProfileSegment("p3")), null),
            "webp of an animation" => (TestImages.Animation(ImageFormat.Gif, frames: 3), ImageFormat.Webp),
            "png of a jpeg with a profile" => (TestImages.InsertJpeg(photo.JpegsaveBuffer(), ProfileSegment("p3")), ImageFormat.Png),
            _ => (TestImages.Photo(ImageFormat.Jpeg), ImageFormat.Avif),
        };
        var plan = target is { } format ? CodecFixture.Compress.Add(new ImageStep.Convert(format)) : CodecFixture.Compress;
        var header = ImageContainers.Inspect(FormatSniffer.Recognise(file), file);
        Assert.False(_codec.Supports(header, CodecJob.From(plan, header, _options)));
    }

    [Fact]
    public void Where_it_breaks_off_libvips_goes_on()
    {
        var file = TestImages.Photo(ImageFormat.Png);
        using var output = new PooledBuffer();
        var report = new PlanExecutor(_options, new Failing(), new VipsCodec(_options, TimeProvider.System)).Run(file, CodecFixture.Compress, output);
        Assert.Equal((ImageFormat.Png, output.Length), (report.Output.Format, (int)report.Output.Bytes));
        using var decoded = CodecFixture.Decode(output.Span.ToArray());
        Assert.Equal(160, decoded.Width);
    }

    private static byte[] ProfileSegment(string profile) =>
        TestImages.JpegSegment(0xE2, [.. "ICC_PROFILE\0"u8, 1, 1, .. Image.ProfileLoad(profile)]);

    /// <summary>A library that fails half way, as only a defect makes them.</summary>
    private sealed class Failing : IPixelCodec
    {
        public bool Supports(ImageHeader header, CodecJob job) => true;

        public EncodedImage Encode(ReadOnlyMemory<byte> file, ImageHeader header, CodecJob job, PooledBuffer output)
        {
            output.Append("half"u8);
            throw new InvalidOperationException("A defect.");
        }
    }
}
