using System.Security.Cryptography;
using System.Text;
using Darkroom.AppHost.Hosting;
using Darkroom.Images;
using Darkroom.Images.Containers;
using NetVips;

namespace Darkroom.Tests.Images;

/// <summary>What every choice of <see cref="ImageOptions.Codec"/> must do.</summary>
public abstract class ImageCodecTests(CodecFixture codec)
{
    public sealed class Libvips(LibvipsFixture codec) : ImageCodecTests(codec), IClassFixture<LibvipsFixture>;

    public sealed class ImageSharp(ImageSharpFixture codec) : ImageCodecTests(codec), IClassFixture<ImageSharpFixture>;

    public static TheoryData<ImageFormat> Formats => [.. Enum.GetValues<ImageFormat>()];

    public static TheoryData<ImageFormat> Rewritable => [.. Enum.GetValues<ImageFormat>().Where(ImageContainers.CanRewrite)];

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Image_becomes_smaller_in_its_own_format(ImageFormat format)
    {
        var file = TestImages.Photo(format);
        var (output, report) = await codec.RunAsync(file);
        Assert.Equal(OutputEncoding.Encoded, report.Encoding);
        Assert.Equal(new ImageFacts(format, 160, 120, file.Length), report.Source);
        Assert.Equal(new ImageFacts(format, 160, 120, output.Length), report.Output);
        Assert.True(output.Length < file.Length, $"{file.Length} -> {output.Length}");
        Assert.Equal(format, FormatSniffer.Sniff(output));
        using var decoded = CodecFixture.Decode(output);
        Assert.Equal((160, 120), (decoded.Width, decoded.Height));
        using var original = TestImages.Photo(160, 120);
        Assert.InRange(Difference(original, decoded), 0, 14);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task No_byte_of_metadata_reaches_the_output(ImageFormat format)
    {
        var file = TestImages.WithSecrets(format);
        Assert.True(Contains(file, TestImages.Secret), "the sample contains no secret");
        foreach (var quality in (int[])[50, 100])
        {
            var (output, _) = await codec.RunAsync(file, ImagePlan.Empty.Add(new ImageStep.Compress(quality)));
            Assert.False(Contains(output, TestImages.Secret));
            Assert.False(Contains(output, "xmpmeta"));
            using var decoded = CodecFixture.Decode(output);
            Assert.DoesNotContain(decoded.GetFields(), field => field is "exif-data" or "xmp-data" or "iptc-data" or "photoshop-data" or "icc-profile-data");
        }
    }

    [Theory]
    [MemberData(nameof(Rewritable))]
    public async Task File_that_re_encoding_would_enlarge_is_rewritten_instead(ImageFormat format)
    {
        using var photo = TestImages.Photo(64, 48);
        var file = format == ImageFormat.Gif ? TestImages.TinyGif : TestImages.Encode(photo, format, quality: 8);
        if (format == ImageFormat.Png)
            file = photo.PngsaveBuffer(palette: true, q: 1, bitdepth: 2, compression: 9, dither: 0);
        var plan = ImagePlan.Empty.Add(new ImageStep.Compress(95));
        var (output, report) = await codec.RunAsync(file, plan);
        Assert.Equal(OutputEncoding.Rewritten, report.Encoding);
        Assert.True(output.Length <= file.Length);
        using var before = CodecFixture.Decode(file);
        using var after = CodecFixture.Decode(output);
        Assert.Equal(0, Difference(before, after));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Tiny_image_never_grows_where_its_container_can_be_rewritten(ImageFormat format)
    {
        foreach (var (width, height) in ((int, int)[])[(1, 1), (2, 3), (16, 1), (1, 17)])
        {
            var file = TestImages.Photo(format, width, height);
            var (output, report) = await codec.RunAsync(file);
            Assert.Equal((width, height), (report.Output.Width, report.Output.Height));
            Assert.True(output.Length <= file.Length || report.Encoding == OutputEncoding.EncodedLarger);
            if (ImageContainers.CanRewrite(format))
                Assert.True(output.Length <= file.Length, $"{format} {width}x{height}: {file.Length} -> {output.Length}");
        }
    }

    [Fact]
    public async Task Transparent_png_stays_a_png_with_its_transparency()
    {
        using var photo = TestImages.Photo(200, 150);
        using var withAlpha = TestImages.WithAlpha(photo);
        var (output, report) = await codec.RunAsync(withAlpha.PngsaveBuffer());
        Assert.Equal((ImageFormat.Png, OutputEncoding.Encoded), (report.Output.Format, report.Encoding));
        using var decoded = CodecFixture.Decode(output);
        Assert.True(decoded.HasAlpha());
        Assert.InRange(decoded[3].Getpoint(4, 75)[0], 0, 20);
        Assert.InRange(decoded[3].Getpoint(196, 75)[0], 235, 255);
    }

    [Theory]
    [InlineData(ImageFormat.Webp)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.Avif)]
    public async Task Transparency_is_kept_by_every_format_that_has_it(ImageFormat format)
    {
        using var photo = TestImages.Photo(64, 48);
        using var withAlpha = TestImages.WithAlpha(photo);
        var (output, _) = await codec.RunAsync(TestImages.Encode(withAlpha, format));
        using var decoded = CodecFixture.Decode(output);
        Assert.True(decoded.HasAlpha());
    }

    [Fact]
    public async Task Transparent_png_becomes_a_jpeg_on_white()
    {
        using var photo = TestImages.Photo(200, 150);
        using var withAlpha = TestImages.WithAlpha(photo);
        var (output, _) = await codec.RunAsync(withAlpha.PngsaveBuffer(), CodecFixture.Compress.Add(new ImageStep.Convert(ImageFormat.Jpeg)));
        using var decoded = CodecFixture.Decode(output);
        Assert.Equal(3, decoded.Bands);
        Assert.All(decoded.Getpoint(1, 75), band => Assert.InRange(band, 235, 255));
    }

    [Fact]
    public async Task Cmyk_jpeg_becomes_srgb()
    {
        using var photo = TestImages.Photo(160, 120);
        using var cmyk = photo.IccTransform("cmyk", inputProfile: "srgb");
        foreach (var keep in (Enums.ForeignKeep[])[Enums.ForeignKeep.Icc, Enums.ForeignKeep.None])
        {
            var (output, _) = await codec.RunAsync(cmyk.JpegsaveBuffer(q: 95, keep: keep));
            using var decoded = CodecFixture.Decode(output);
            Assert.Equal((3, false), (decoded.Bands, decoded.Contains("icc-profile-data")));
            Assert.InRange(Difference(photo, decoded), 0, 25);
        }
    }

    [Fact]
    public async Task Sixteen_bits_and_grey_are_compressed()
    {
        using var photo = TestImages.Photo(160, 120);
        using var wide = photo.Colourspace(Enums.Interpretation.Rgb16);
        using var grey = photo.Colourspace(Enums.Interpretation.Bw);
        using var wideGrey = photo.Colourspace(Enums.Interpretation.Grey16);
        foreach (var image in (Image[])[wide, grey, wideGrey])
        {
            foreach (var file in (byte[][])[image.PngsaveBuffer(), image.TiffsaveBuffer()])
            {
                var (output, report) = await codec.RunAsync(file);
                Assert.True(output.Length < file.Length);
                using var decoded = CodecFixture.Decode(output);
                Assert.Equal(Enums.BandFormat.Uchar, decoded.Format);
                using var expected = (image.Bands == 1 && decoded.Bands == 1) ? grey.Copy() : image.Colourspace(Enums.Interpretation.Srgb);
                Assert.InRange(Difference(expected, decoded), 0, 14);
            }
        }
    }

    [Fact]
    public async Task Black_and_white_scan_stays_one_bit_deep()
    {
        using var photo = TestImages.Photo(400, 300);
        using var grey = photo.Colourspace(Enums.Interpretation.Bw);
        using var scan = grey > 128;
        var file = scan.TiffsaveBuffer(bitdepth: 1);
        var (output, report) = await codec.RunAsync(file);
        Assert.Equal(1, ImageContainers.Inspect(ImageFormat.Tiff, output).BitsPerSample);
        Assert.Equal((400, 300), (report.Output.Width, report.Output.Height));
    }

    /// <summary>What a viewer shows of red, green over blue, white stored under each EXIF orientation, row by row.</summary>
    [Theory]
    [InlineData(1, "RGBW")]
    [InlineData(2, "GRWB")]
    [InlineData(3, "WBGR")]
    [InlineData(4, "BWRG")]
    [InlineData(5, "RBGW")]
    [InlineData(6, "BRWG")]
    [InlineData(7, "WGBR")]
    [InlineData(8, "GWRB")]
    public async Task Orientation_is_applied_to_the_pixels(int orientation, string expected)
    {
        using var quarters = TestImages.Quarters(96, 64);
        var file = TestImages.OrientedJpeg(quarters.JpegsaveBuffer(q: 98, subsampleMode: Enums.ForeignSubsample.Off), orientation);
        var (output, report) = await codec.RunAsync(file);
        Assert.Equal(OutputEncoding.Encoded, report.Encoding);
        Assert.Equal(1, ImageContainers.Inspect(ImageFormat.Jpeg, output).Orientation);
        Assert.Equal(orientation < 5 ? (96, 64) : (64, 96), (report.Output.Width, report.Output.Height));
        Assert.Equal((report.Source.Width, report.Source.Height), (report.Output.Width, report.Output.Height));
        using var decoded = CodecFixture.Decode(output);
        Assert.Equal(expected, Corners(decoded));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    public async Task Orientation_is_kept_when_the_container_is_rewritten(int orientation)
    {
        using var quarters = TestImages.Quarters(96, 64);
        foreach (var format in (ImageFormat[])[ImageFormat.Jpeg, ImageFormat.Png, ImageFormat.Webp])
        {
            var small = format == ImageFormat.Png ? quarters.PngsaveBuffer(palette: true, bitdepth: 2, dither: 0, compression: 9, keep: Enums.ForeignKeep.None) : TestImages.Encode(quarters, format, 5);
            var file = format switch
            {
                ImageFormat.Jpeg => TestImages.OrientedJpeg(small, orientation),
                ImageFormat.Png => TestImages.InsertPng(small, TestImages.PngChunk("eXIf", TestImages.Exif(orientation))),
                _ => TestImages.ExtendWebp(small, ("EXIF", TestImages.Exif(orientation))),
            };
            var (output, report) = await codec.RunAsync(file, ImagePlan.Empty.Add(new ImageStep.Compress(95)));
            Assert.Equal(OutputEncoding.Rewritten, report.Encoding);
            Assert.Equal(orientation, ImageContainers.Inspect(format, output).Orientation);
            Assert.False(Contains(output, TestImages.Secret));
            Assert.True(output.Length <= file.Length);
            Assert.Equal(orientation < 5 ? (96, 64) : (64, 96), (report.Output.Width, report.Output.Height));
            using var decoded = CodecFixture.Decode(output);
            Assert.Equal(orientation, decoded.Get("orientation"));
        }
    }

    [Theory]
    [InlineData(ImageFormat.Gif, ImageFormat.Gif)]
    [InlineData(ImageFormat.Webp, ImageFormat.Webp)]
    [InlineData(ImageFormat.Gif, ImageFormat.Webp)]
    public async Task Animation_keeps_its_frames_and_delays(ImageFormat from, ImageFormat to)
    {
        var file = TestImages.Animation(from, frames: 5);
        var (output, report) = await codec.RunAsync(file, CodecFixture.Compress.Add(new ImageStep.Convert(to)));
        Assert.Equal((5, to), (report.Frames, report.Output.Format));
        Assert.Equal((48, 32), (report.Output.Width, report.Output.Height));
        using var decoded = CodecFixture.Decode(output, allFrames: true);
        Assert.Equal(5, decoded.Height / decoded.PageHeight);
        Assert.All((int[])decoded.Get("delay"), delay => Assert.Equal(120, delay));
        Assert.Equal(3, decoded.Get("loop"));
    }

    [Fact]
    public async Task Animation_is_resized_frame_by_frame()
    {
        var plan = CodecFixture.Compress.Add(new ImageStep.Resize(ResizeMode.Fill, 20, 20));
        var (output, report) = await codec.RunAsync(TestImages.Animation(ImageFormat.Gif, frames: 4), plan);
        Assert.Equal((4, 20, 20), (report.Frames, report.Output.Width, report.Output.Height));
        using var decoded = CodecFixture.Decode(output, allFrames: true);
        Assert.Equal(80, decoded.Height);
    }

    [Fact]
    public async Task Animation_becomes_its_first_frame_if_the_format_has_no_frames()
    {
        var (output, report) = await codec.RunAsync(TestImages.Animation(ImageFormat.Gif, frames: 4), CodecFixture.Compress.Add(new ImageStep.Convert(ImageFormat.Jpeg)));
        Assert.Equal((1, 48, 32), (report.Frames, report.Output.Width, report.Output.Height));
        Assert.Equal(ImageFormat.Jpeg, FormatSniffer.Sniff(output));
    }

    [Fact]
    public async Task Animated_png_keeps_all_its_frames_and_loses_its_metadata()
    {
        var png = TestImages.Photo(ImageFormat.Png, 32, 32);
        var animated = TestImages.InsertPng(
            png, TestImages.PngChunk("acTL", [0, 0, 0, 2, 0, 0, 0, 0]), TestImages.PngChunk("tEXt", Encoding.ASCII.GetBytes("a\0" + TestImages.Secret)));
        var (output, report) = await codec.RunAsync(animated);
        Assert.Equal((2, OutputEncoding.Rewritten), (report.Frames, report.Encoding));
        Assert.True(Contains(output, "acTL"));
        Assert.False(Contains(output, TestImages.Secret));
    }

    [Theory]
    [InlineData(ResizeMode.Fit, 80, 80, 80, 60)]
    [InlineData(ResizeMode.Fit, null, 30, 40, 30)]
    [InlineData(ResizeMode.Fit, 1_000, 1_000, 160, 120)]
    [InlineData(ResizeMode.Fill, 50, 50, 50, 50)]
    [InlineData(ResizeMode.Fill, 1_000, 60, 160, 60)]
    [InlineData(ResizeMode.Crop, 100, 500, 100, 120)]
    public async Task Resize_fits_the_box_and_never_enlarges(ResizeMode mode, int? width, int? height, int expectedWidth, int expectedHeight)
    {
        var (output, report) = await codec.RunAsync(TestImages.Photo(ImageFormat.Jpeg), CodecFixture.Compress.Add(new ImageStep.Resize(mode, width, height)));
        using var decoded = CodecFixture.Decode(output);
        Assert.Equal((expectedWidth, expectedHeight), (decoded.Width, decoded.Height));
        Assert.Equal((expectedWidth, expectedHeight), (report.Output.Width, report.Output.Height));
        Assert.Equal((160, 120), (report.Source.Width, report.Source.Height));
    }

    [Fact]
    public async Task Every_format_converts_to_every_other()
    {
        foreach (var from in Enum.GetValues<ImageFormat>())
        {
            var file = TestImages.Photo(from, 40, 30);
            foreach (var to in Enum.GetValues<ImageFormat>())
            {
                var (output, report) = await codec.RunAsync(file, CodecFixture.Compress.Add(new ImageStep.Convert(to)));
                Assert.Equal(to, FormatSniffer.Sniff(output));
                Assert.Equal(to, report.Output.Format);
            }
        }
    }

    [Fact]
    public async Task Plan_that_cannot_be_executed_is_refused()
    {
        foreach (var step in (ImageStep[])[new ImageStep.Compress(0), new ImageStep.Compress(101), new ImageStep.Convert((ImageFormat)99), new ImageStep.Resize(ResizeMode.Fit, null, null), new ImageStep.Resize(ResizeMode.Fit, 0, 1)])
            Assert.Equal(ImageFailureCodes.UnsupportedPlan, (await codec.FailureAsync(TestImages.TinyGif, ImagePlan.Empty.Add(step))).Code);
    }

    [Fact]
    public async Task Nothing_is_written_when_the_image_fails()
    {
        using var output = new PooledBuffer();
        await Assert.ThrowsAsync<ImageFailedException>(
            () => codec.Codec.RunAsync(default, TestImages.Photo(ImageFormat.Jpeg).AsMemory()[..^200], CodecFixture.Compress, isSuspect: false, output, CancellationToken.None));
        Assert.Equal(0, output.Length);
    }

    [Fact]
    public async Task Cancelled_run_is_not_an_image_failure()
    {
        using var output = new PooledBuffer();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => codec.Codec.RunAsync(
            default, TestImages.Photo(ImageFormat.Jpeg), CodecFixture.Compress, isSuspect: false, output, new CancellationToken(canceled: true)));
    }

    internal static double Difference(Image left, Image right)
    {
        using var difference = left - right;
        using var absolute = difference.Abs();
        return absolute.Avg();
    }

    private static bool Contains(byte[] bytes, string text) => bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(text)) >= 0;

    private static string Corners(Image image)
    {
        var (width, height) = (image.Width, image.Height);
        return string.Concat(new[] { (1, 1), (3, 1), (1, 3), (3, 3) }.Select(corner => Name(image.Getpoint(width * corner.Item1 / 4, height * corner.Item2 / 4))));
    }

    private static char Name(double[] colour) => (colour[0] > 128, colour[1] > 128, colour[2] > 128) switch
    {
        (true, false, false) => 'R',
        (false, true, false) => 'G',
        (false, false, true) => 'B',
        (true, true, true) => 'W',
        _ => '?',
    };
}
