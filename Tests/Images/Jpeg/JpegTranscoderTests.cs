using Darkroom.Images;
using Darkroom.Images.Containers;
using Darkroom.Images.Jpeg;
using NetVips;

namespace Darkroom.Tests.Images.Jpeg;

/// <summary>
/// Compares the transcoder's files with libvips': decoded by it, and encoded by it. At quality 100 a transcoded file has the coefficients of the
/// source, so each pixel must be the same.
/// </summary>
public sealed class JpegTranscoderTests
{
    private const int Lossless = 100;

    public JpegTranscoderTests() => Darkroom.Images.Vips.VipsRuntime.EnsureStarted();

    public static TheoryData<string, int, int> Samplings
    {
        get
        {
            var data = new TheoryData<string, int, int>();
            foreach (var sampling in (string[])["grey", "4:4:4", "4:2:2", "4:4:0", "4:2:0"])
                foreach (var (width, height) in ((int, int)[])[(1, 1), (8, 8), (16, 16), (17, 33), (100, 75), (203, 120)])
                    data.Add(sampling, width, height);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Samplings))]
    public void Coefficients_are_kept_where_the_steps_are_not_coarser(string sampling, int width, int height)
    {
        foreach (var (isInterleaved, restart) in ((bool, int)[])[(true, 0), (true, 1), (true, 7), (false, 0), (false, 5)])
        {
            var file = Sample(sampling, width, height, isInterleaved, restart).Write(seed: width + restart);
            var output = Transcode(file, Lossless);
            AssertSamePixels(file, output);
        }
    }

    [Theory]
    [InlineData(true, Enums.ForeignSubsample.On)]
    [InlineData(true, Enums.ForeignSubsample.Off)]
    [InlineData(false, Enums.ForeignSubsample.On)]
    [InlineData(false, Enums.ForeignSubsample.Off)]
    public void Progressive_files_keep_their_pixels(bool isColour, Enums.ForeignSubsample subsampling)
    {
        foreach (var (width, height) in ((int, int)[])[(1, 1), (16, 16), (61, 47), (203, 120), (640, 480)])
        {
            using var photo = TestImages.Photo(width, height);
            using var image = isColour ? photo.Copy() : photo.Colourspace(Enums.Interpretation.Bw);
            foreach (var restart in (int[])[0, 3])
            {
                var file = image.JpegsaveBuffer(q: 92, interlace: true, subsampleMode: subsampling, restartInterval: restart, optimizeCoding: true);
                AssertSamePixels(file, Transcode(file, Lossless));
            }
        }
    }

    [Theory]
    [InlineData(30)]
    [InlineData(50)]
    [InlineData(75)]
    [InlineData(92)]
    public void Result_is_as_good_as_that_of_libvips_and_hardly_larger(int quality)
    {
        using var photo = TestImages.Photo(640, 480);
        foreach (var subsampling in (Enums.ForeignSubsample[])[Enums.ForeignSubsample.On, Enums.ForeignSubsample.Off])
            foreach (var isProgressive in (bool[])[false, true])
            {
                var file = photo.JpegsaveBuffer(q: 95, interlace: isProgressive, subsampleMode: subsampling);
                using var source = Image.JpegloadBuffer(file);
                var expected = source.JpegsaveBuffer(q: quality, optimizeCoding: true, keep: Enums.ForeignKeep.None);
                var output = Transcode(file, quality);
                Assert.InRange(output.Length, expected.Length * 0.8, expected.Length * 1.1);
                Assert.InRange(Noise(source, output), 0, Noise(source, expected) * 1.05);
            }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Orientation_is_applied_without_loss(int orientation)
    {
        foreach (var sampling in (string[])["grey", "4:4:4", "4:2:2", "4:4:0", "4:2:0"])
        {
            var file = Sample(sampling, 96, 64, isInterleaved: true, restart: 0).Write(seed: 5);
            var output = Transcode(file, Lossless, orientation);
            using var stored = Image.JpegloadBuffer(file);
            using var expected = Turn(stored, orientation);
            using var actual = Image.JpegloadBuffer(output);
            Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
            // The decoder rounds rows and columns in another order, and smooths chroma across and down in another way.
            var tolerance = sampling is "grey" or "4:4:4" ? 1 : 40;
            Assert.InRange(ImageCodecTests.Difference(expected, actual), 0, sampling is "grey" or "4:4:4" ? 0.2 : 1.5);
            using var difference = expected - actual;
            using var absolute = difference.Abs();
            Assert.InRange(absolute.Max(), 0, 3 * tolerance);
        }
    }

    [Theory]
    [InlineData(100, 64, 2, false)]
    [InlineData(100, 64, 4, true)]
    [InlineData(96, 60, 4, false)]
    [InlineData(96, 60, 2, true)]
    [InlineData(101, 67, 5, true)]
    [InlineData(100, 64, 6, true)]
    [InlineData(96, 60, 6, false)]
    [InlineData(96, 60, 8, true)]
    [InlineData(100, 64, 8, false)]
    public void Orientation_is_left_to_libvips_where_padding_would_come_first(int width, int height, int orientation, bool isPossible)
    {
        var file = Sample("4:2:0", width, height, isInterleaved: true, restart: 0).Write(seed: 1);
        Assert.Equal(isPossible ? null : NotTranscodable.Orientation, Try(file, Lossless, orientation).Reason);
    }

    [Fact]
    public void What_is_not_transcoded_says_why()
    {
        var cases = new (NotTranscodable Reason, byte[] File)[]
        {
            (NotTranscodable.Colour, new JpegSample(40, 30, (1, 1), (1, 1), (1, 1), (1, 1)).Write(1)),
            (NotTranscodable.Colour, new JpegSample(40, 30, (1, 1), (1, 1), (1, 1)) { Ids = [(byte)'R', (byte)'G', (byte)'B'] }.Write(1)),
            (NotTranscodable.Colour, new JpegSample(40, 30, (1, 1), (1, 1), (1, 1)) { AdobeTransform = 0 }.Write(1)),
            (NotTranscodable.Sampling, new JpegSample(40, 30, (4, 1), (1, 1), (1, 1)).Write(1)),
            (NotTranscodable.Sampling, new JpegSample(40, 30, (1, 1), (2, 1), (1, 1)).Write(1)),
            (NotTranscodable.Process, Arithmetic(Sample("grey", 40, 30, true, 0).Write(1))),
            (NotTranscodable.Damaged, Sample("4:2:0", 100, 75, true, 0).Write(1)[..^300]),
            (NotTranscodable.Damaged, Sample("4:2:0", 100, 75, true, 0).Write(1)[..^2]),
        };
        Assert.All(cases, item => Assert.Equal(item.Reason, Try(item.File, 50, 1).Reason));
    }

    [Fact]
    public void Failed_attempt_leaves_no_trace_in_the_next()
    {
        var transcoder = new JpegTranscoder();
        var good = Sample("4:2:0", 100, 75, true, 0).Write(1);
        var expected = Transcode(good, 50);
        using var output = new PooledBuffer();
        foreach (var bad in (byte[][])[good[..^300], Sample("4:4:4", 300, 200, true, 3).Write(2)[..2000], [0xFF, 0xD8, 0xFF]])
        {
            Assert.NotNull(transcoder.TryTranscode(bad, Target(50, 1), output, CancellationToken.None));
            Assert.Equal(0, output.Length);
            Assert.Null(transcoder.TryTranscode(good, Target(50, 1), output, CancellationToken.None));
            Assert.Equal(expected, output.Span.ToArray());
            output.Clear();
        }
    }

    [Fact]
    public void Cancellation_ends_it()
    {
        using var output = new PooledBuffer();
        var file = Sample("4:2:0", 100, 75, true, 0).Write(1);
        Assert.ThrowsAny<OperationCanceledException>(() => new JpegTranscoder().TryTranscode(file, Target(50, 1), output, new CancellationToken(canceled: true)));
        Assert.Equal(0, output.Length);
    }

    /// <summary>Claims to be coded arithmetically.</summary>
    private static byte[] Arithmetic(byte[] file)
    {
        file[file.AsSpan().IndexOf((byte[])[0xFF, 0xC0]) + 1] = 0xC9;
        return file;
    }

    internal static JpegSample Sample(string sampling, int width, int height, bool isInterleaved, int restart)
    {
        (int, int)[] factors = sampling switch
        {
            "grey" => [(1, 1)],
            "4:4:4" => [(1, 1), (1, 1), (1, 1)],
            "4:2:2" => [(2, 1), (1, 1), (1, 1)],
            "4:4:0" => [(1, 2), (1, 1), (1, 1)],
            _ => [(2, 2), (1, 1), (1, 1)],
        };
        return new JpegSample(width, height, factors) { IsInterleaved = isInterleaved, RestartInterval = restart };
    }

    internal static JpegTarget Target(int quality, int orientation) => new(quality, JpegOrientation.Of(orientation), null, new JpegOptions());

    private static byte[] Transcode(byte[] file, int quality, int orientation = 1)
    {
        var (output, reason) = Try(file, quality, orientation);
        Assert.Null(reason);
        return output;
    }

    private static (byte[] Output, NotTranscodable? Reason) Try(byte[] file, int quality, int orientation)
    {
        using var output = new PooledBuffer();
        var reason = new JpegTranscoder().TryTranscode(file, Target(quality, orientation), output, CancellationToken.None);
        return (output.Span.ToArray(), reason);
    }

    private static void AssertSamePixels(byte[] file, byte[] output)
    {
        Assert.Null(ImageContainers.Inspect(ImageFormat.Jpeg, output).CheckLimits(new ImageOptions()));
        using var before = Image.JpegloadBuffer(file, failOn: Enums.FailOn.Warning);
        using var after = Image.JpegloadBuffer(output, failOn: Enums.FailOn.Warning);
        Assert.Equal(before.WriteToMemory<byte>(), after.WriteToMemory<byte>());
    }

    /// <summary>The mean squared error of a file's pixels.</summary>
    private static double Noise(Image source, byte[] file)
    {
        using var decoded = Image.JpegloadBuffer(file, failOn: Enums.FailOn.Warning);
        using var difference = source - decoded;
        using var squared = difference * difference;
        return squared.Avg();
    }

    private static Image Turn(Image image, int orientation) => orientation switch
    {
        1 => image.Copy(),
        2 => image.FlipHor(),
        3 => image.Rot180(),
        4 => image.FlipVer(),
        5 => image.Rot90().FlipHor(),
        6 => image.Rot90(),
        7 => image.Rot270().FlipHor(),
        _ => image.Rot270(),
    };
}
