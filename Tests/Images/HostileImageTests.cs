using System.Diagnostics;
using System.Text;
using Darkroom.Images;
using Darkroom.Images.Containers;
using Darkroom.Tests.Infrastructure;
using NetVips;

namespace Darkroom.Tests.Images;

public abstract class HostileImageTests(CodecFixture codec)
{
    public sealed class Libvips(LibvipsFixture codec) : HostileImageTests(codec), IClassFixture<LibvipsFixture>;

    public sealed class ImageSharp(ImageSharpFixture codec) : HostileImageTests(codec), IClassFixture<ImageSharpFixture>;

    public static TheoryData<ImageFormat> Formats => [.. Enum.GetValues<ImageFormat>()];

    public static TheoryData<string, string> Bombs => new()
    {
        { "png 65535 x 65535", ImageFailureCodes.TooManyPixels },
        { "png 2147483647 x 2147483647", ImageFailureCodes.TooManyPixels },
        { "png 16000 x 16000", ImageFailureCodes.TooManyPixels },
        { "png 0 x 5", ImageFailureCodes.CorruptImage },
        { "jpeg 65500 x 65500", ImageFailureCodes.TooManyPixels },
        { "progressive jpeg 7000 x 7000", ImageFailureCodes.TooManyPixels },
        { "jpeg of 1000 scans", ImageFailureCodes.TooComplex },
        { "gif of 10000 frames", ImageFailureCodes.TooManyFrames },
        { "gif of 200 frames of 1000 x 1000", ImageFailureCodes.TooManyPixels },
        { "tiff 1000000 x 1000000", ImageFailureCodes.TooManyPixels },
        { "tiff of 5000 pages", ImageFailureCodes.TooManyFrames },
        { "tiff 8 x 8 and 9 x 8", ImageFailureCodes.CorruptImage },
    };

    [Theory]
    [MemberData(nameof(Bombs))]
    public async Task Decompression_bomb_is_refused_by_its_header(string bomb, string code)
    {
        var file = bomb switch
        {
            "png 65535 x 65535" => TestImages.PngClaiming(65_535, 65_535),
            "png 2147483647 x 2147483647" => TestImages.PngClaiming(int.MaxValue, int.MaxValue),
            "png 16000 x 16000" => TestImages.PngClaiming(16_000, 16_000),
            "png 0 x 5" => TestImages.PngClaiming(0, 5),
            "jpeg 65500 x 65500" => TestImages.JpegClaiming(65_500, 65_500, progressive: false),
            "progressive jpeg 7000 x 7000" => TestImages.JpegClaiming(7_000, 7_000, progressive: true),
            "jpeg of 1000 scans" => TestImages.JpegWithScans(1_000),
            "gif of 10000 frames" => TestImages.GifOfFrames(10_000, 64),
            "gif of 200 frames of 1000 x 1000" => TestImages.GifOfFrames(200, 1_000),
            "tiff 1000000 x 1000000" => TestImages.TiffClaiming(1_000_000, 1_000_000),
            "tiff 8 x 8 and 9 x 8" => TestImages.TiffWith((256, 8), (257, 8), (256, 9)),
            _ => TestImages.TiffClaiming(8, 8, pages: 5_000),
        };
        var failure = await codec.FailureAsync(file);
        Assert.Equal((code, false), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task Metadata_bomb_is_dropped_without_being_decompressed()
    {
        var packed = TestImages.Deflate(new byte[50_000_000]);
        var png = TestImages.Photo(ImageFormat.Png, 64, 64);
        var file = TestImages.InsertPng(
            png,
            TestImages.PngChunk("zTXt", [.. "Comment\0\0"u8, .. packed]),
            TestImages.PngChunk("iCCP", [.. "icc\0\0"u8, .. packed]));
        var (output, _) = await codec.RunAsync(file);
        Assert.True(output.Length <= png.Length);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Truncated_image_is_a_permanent_failure(ImageFormat format)
    {
        var file = TestImages.Photo(format);
        foreach (var share in (double[])[0.1, 0.3, 0.6, 0.9])
        {
            var failure = await codec.FailureAsync(file[..(int)(file.Length * share)]);
            Assert.Equal((ImageFailureCodes.CorruptImage, false), (failure.Code, failure.IsTransient));
            Assert.Equal("The image is damaged or cut off.", failure.Message);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Flipped_bits_end_in_an_outcome(ImageFormat format)
    {
        var random = new Random(42);
        var file = TestImages.WithSecrets(format);
        for (var round = 0; round < 60; round++)
        {
            var bent = (byte[])file.Clone();
            for (var i = 0; i < 1 + round % 8; i++)
                bent[random.Next(round % 2 == 0 ? Math.Min(bent.Length, 200) : bent.Length)] ^= (byte)(1 << random.Next(8));
            await OutcomeAsync(bent);
        }
    }

    [Fact]
    public async Task Files_that_only_look_like_images_are_refused()
    {
        foreach (var (text, code) in ((string, string)[])
                 [
                     ("<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"file:///etc/passwd\"/></svg>", ImageFailureCodes.UnsupportedFormat),
                     ("%!PS-Adobe-3.0 EPSF-3.0\n(/tmp/x) (w) file", ImageFailureCodes.UnsupportedFormat),
                     ("push graphic-context\nimage over 0,0 0,0 'https://127.0.0.1/'\n", ImageFailureCodes.NotAnImage),
                     ("<?xml version=\"1.0\"?><image><read filename=\"/etc/passwd\"/></image>", ImageFailureCodes.NotAnImage),
                     ("P6\n1 1\n255\nabc", ImageFailureCodes.NotAnImage),
                     ("GIF89a/*", ImageFailureCodes.CorruptImage),
                     ("\xFF\xD8\xFF\xD9", ImageFailureCodes.CorruptImage),
                 ])
            Assert.Equal(code, (await codec.FailureAsync(Encoding.Latin1.GetBytes(text))).Code);
    }

    [Fact]
    public void Only_the_listed_loaders_are_enabled()
    {
        Assert.Throws<VipsException>(() => Image.NewFromBuffer("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>"u8.ToArray()));
        Assert.Throws<VipsException>(() => Image.NewFromBuffer("1,2,3\n"u8.ToArray()));
        Assert.Throws<VipsException>(() => Image.System("true"));
        Assert.Equal((0, 1), (Cache.Max, NetVips.NetVips.Concurrency));
    }

    /// <summary>libvips 8.18.3 fixes all known vulnerabilities.</summary>
    [Fact]
    public void Native_library_is_new_enough() => Assert.True(NetVips.NetVips.AtLeastLibvips(8, 18, 3));

    [HostileCorpusFact]
    public async Task Every_file_of_the_corpus_ends_in_an_outcome_as_expected()
    {
        var expected = File.ReadLines(HostileCorpus.File("MANIFEST.tsv")).Skip(1)
            .Select(line => line.Split('\t'))
            .ToDictionary(cells => cells[0], cells => cells[5]);
        var files = new[] { "img", "made/bomb", "made/polyglot", "made/meta", "made/delegate" }
            .SelectMany(folder => Directory.EnumerateFiles(HostileCorpus.File(folder), "*", SearchOption.AllDirectories));
        await Parallel.ForEachAsync(files, async (path, _) =>
        {
            var name = Path.GetRelativePath(HostileCorpus.Folder!, path).Replace('\\', '/');
            var started = Stopwatch.GetTimestamp();
            var failure = await OutcomeAsync(await File.ReadAllBytesAsync(path, CancellationToken.None));
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30), name);
            var wanted = expected.GetValueOrDefault(name, "either");
            if (wanted == "accept")
                Assert.True(failure is null, $"{name}: {failure?.Code}");
            // ImageSharp makes the best of some damaged files.
            if (wanted.StartsWith("reject-with", StringComparison.Ordinal) && codec.Options.Codec == ImageLibrary.Libvips)
                Assert.True(failure is not null, name);
        });
    }

    /// <summary>
    /// Null for a success. The output must then be a valid image of the reported format, without metadata, and larger only if reported
    /// so.
    /// </summary>
    private async Task<ImageFailure?> OutcomeAsync(byte[] file)
    {
        try
        {
            var (output, report) = await codec.RunAsync(file);
            Assert.Equal(report.Output.Format, FormatSniffer.Sniff(output));
            Assert.True(output.Length <= file.Length || report.Encoding == OutputEncoding.EncodedLarger, $"{file.Length} -> {output.Length} {report}");
            Assert.False(output.AsSpan().IndexOf(Encoding.ASCII.GetBytes(TestImages.Secret)) >= 0);
            var header = ImageContainers.Inspect(report.Output.Format, output);
            Assert.Null(header.CheckLimits(codec.Options));
            return null;
        }
        catch (ImageFailedException e)
        {
            Assert.False(e.Failure.IsTransient);
            Assert.DoesNotContain("vips", e.Failure.Message, StringComparison.OrdinalIgnoreCase);
            return e.Failure;
        }
    }
}
