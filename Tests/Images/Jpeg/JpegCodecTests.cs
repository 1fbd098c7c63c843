using Darkroom.Images;
using Darkroom.Images.Containers;
using Darkroom.Images.Decoders;
using Darkroom.Images.Jpeg;
using Darkroom.Tests.Infrastructure;
using NetVips;

namespace Darkroom.Tests.Images.Jpeg;

/// <summary>Which plans and files are transcoded, and that for callers nothing depends on it.</summary>
public sealed class JpegCodecTests
{
    private readonly ImageOptions _options = new();
    private readonly PlanExecutor _general;
    private readonly JpegCodec _codec;

    public JpegCodecTests()
    {
        _general = PlanExecutor.Create(_options, TimeProvider.System);
        _codec = new JpegCodec(_options, TimeProvider.System);
    }

    [Fact]
    public void Only_plans_that_keep_a_jpeg_in_its_place_are_taken()
    {
        var file = TestImages.Photo(ImageFormat.Jpeg);
        foreach (var (plan, isTaken) in ((ImagePlan, bool)[])
                 [
                     (CodecFixture.Compress, true),
                     (ImagePlan.Empty, true),
                     (CodecFixture.Compress.Add(new ImageStep.Convert(ImageFormat.Jpeg)), true),
                     (CodecFixture.Compress.Add(new ImageStep.Resize(ResizeMode.Fit, 4_000, null)), true),
                     (CodecFixture.Compress.Add(new ImageStep.Resize(ResizeMode.Fit, 100, null)), false),
                     (CodecFixture.Compress.Add(new ImageStep.Convert(ImageFormat.Webp)), false),
                 ])
            Assert.Equal(isTaken, Try(file, plan) is not null);
        Assert.Null(Try(TestImages.Photo(ImageFormat.Png), CodecFixture.Compress));
    }

    [Fact]
    public void Report_is_that_of_the_general_codec()
    {
        using var quarters = TestImages.Quarters(96, 64);
        foreach (var orientation in (int[])[1, 6])
        {
            var file = TestImages.OrientedJpeg(quarters.JpegsaveBuffer(q: 98), orientation);
            var (output, report) = Try(file, CodecFixture.Compress)!.Value;
            using var expectedOutput = new PooledBuffer();
            var expected = _general.Run(file, CodecFixture.Compress, expectedOutput);
            Assert.Equal(expected.Source, report.Source);
            Assert.Equal(expected.Output with { Bytes = output.Length }, report.Output);
            Assert.Equal((expected.Frames, expected.Encoding), (report.Frames, report.Encoding));
        }
    }

    [Theory]
    [InlineData(false, "p3", true)]
    [InlineData(false, "srgb", false)]
    [InlineData(true, "p3", false)]
    public void Profile_is_kept_as_the_general_codec_keeps_it(bool isGrey, string profile, bool isKept)
    {
        using var photo = TestImages.Photo(160, 120);
        using var image = isGrey ? photo.Colourspace(Enums.Interpretation.Bw) : photo.IccTransform(profile, inputProfile: "srgb");
        var bytes = ProfileBytes(photo, profile);
        using var tagged = image.Mutate(mutable => mutable.Set(GValue.BlobType, "icc-profile-data", bytes));
        var file = tagged.JpegsaveBuffer(q: 95, keep: Enums.ForeignKeep.Icc);
        var (output, _) = Try(file, CodecFixture.Compress)!.Value;
        Assert.Equal(isKept ? bytes : null, ImageContainers.Inspect(ImageFormat.Jpeg, output).Profile);
        using var expected = new PooledBuffer();
        _general.Run(file, CodecFixture.Compress, expected);
        Assert.Equal(isKept ? bytes : null, ImageContainers.Inspect(ImageFormat.Jpeg, expected.Span).Profile);
    }

    [Fact]
    public void File_that_would_not_become_smaller_is_rewritten()
    {
        using var photo = TestImages.Photo(64, 48);
        // Nothing is left to gain in a file that is coarse already and has the best code.
        var file = photo.JpegsaveBuffer(q: 8, optimizeCoding: true, keep: Enums.ForeignKeep.None);
        var (output, report) = Try(file, ImagePlan.Empty.Add(new ImageStep.Compress(95)))!.Value;
        Assert.True(output.Length <= file.Length);
        using var before = CodecFixture.Decode(file);
        using var after = CodecFixture.Decode(output);
        Assert.Equal(before.WriteToMemory<byte>(), after.WriteToMemory<byte>());
        Assert.Equal(output.Length, report.Output.Bytes);
    }

    [Fact]
    public void Image_that_needs_more_memory_than_it_may_take_is_left_to_the_general_codec()
    {
        using var photo = TestImages.Photo(1_200, 1_000);
        var options = new ImageOptions { Jpeg = new JpegOptions { MemoryMegabytes = 1 } };
        var small = new JpegCodec(options, TimeProvider.System);
        // Progressive: all coefficients at once.
        Assert.Null(Try(photo.JpegsaveBuffer(q: 90, interlace: true), CodecFixture.Compress, small));
        // Sequential: the symbols, if there are many.
        Assert.Null(Try(photo.JpegsaveBuffer(q: 100, subsampleMode: Enums.ForeignSubsample.Off), ImagePlan.Empty.Add(new ImageStep.Compress(100)), small));
        Assert.NotNull(Try(photo.JpegsaveBuffer(q: 90), CodecFixture.Compress, small));
    }

    [Fact]
    public void Images_allocate_little()
    {
        var file = TestImages.Photo(ImageFormat.Jpeg, 640, 480);
        using var output = new PooledBuffer(file.Length);
        var transcoder = new JpegTranscoder();
        for (var i = 0; i < 3; i++)
            Transcode();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Transcode();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000);

        void Transcode()
        {
            output.Clear();
            Assert.Null(transcoder.TryTranscode(file, JpegTranscoderTests.Target(50, 1), output, CancellationToken.None));
        }
    }

    [HostileCorpusFact]
    public void Hostile_files_are_accepted_and_refused_as_by_the_general_codec()
    {
        var (taken, left) = (0, 0);
        foreach (var path in Directory.EnumerateFiles(HostileCorpus.File("."), "*", SearchOption.AllDirectories))
        {
            var file = File.ReadAllBytes(path);
            if (FormatSniffer.Sniff(file) != ImageFormat.Jpeg)
                continue;
            if (!TryInspect(file, out var header) || Try(file, CodecFixture.Compress) is not { } result)
            {
                left++;
                continue;
            }

            taken++;
            using var output = new PooledBuffer();
            var expected = _general.Run(file, CodecFixture.Compress, output);
            Assert.Equal(expected.Source, result.Report.Source);
            Assert.Equal((expected.Output.Width, expected.Output.Height), (result.Report.Output.Width, result.Report.Output.Height));
            using var decoded = CodecFixture.Decode(result.Output);
            decoded.Avg();
        }

        Assert.True(taken > 20 && left > 20, $"{taken} taken, {left} left");
    }

    private bool TryInspect(byte[] file, out ImageHeader? header)
    {
        header = null;
        try
        {
            header = ImageContainers.Inspect(ImageFormat.Jpeg, file);
            return header.CheckLimits(_options) is null;
        }
        catch (ImageFailedException)
        {
            return false;
        }
    }

    private (byte[] Output, CodecReport Report)? Try(byte[] file, ImagePlan plan, JpegCodec? codec = null)
    {
        using var output = new PooledBuffer();
        var header = ImageContainers.Inspect(FormatSniffer.Recognise(file), file);
        var report = (codec ?? _codec).TryRun(file, header, plan, output, CancellationToken.None);
        if (report is not null)
            return (output.Span.ToArray(), report);
        Assert.Equal(0, output.Length);
        return null;
    }

    private static byte[] ProfileBytes(Image photo, string profile)
    {
        using var transformed = photo.IccTransform(profile, inputProfile: "srgb");
        return (byte[])transformed.Get("icc-profile-data");
    }
}
