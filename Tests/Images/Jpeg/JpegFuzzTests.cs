using System.Globalization;
using Darkroom.Images;
using Darkroom.Images.Containers;
using Darkroom.Images.Jpeg;
using NetVips;

namespace Darkroom.Tests.Images.Jpeg;

/// <summary>
/// Mutated files end as a file that other decoders read, or with a reason of ours; nothing else comes out, whatever they say. More of them on
/// demand: <c>DARKROOM_JPEG_MUTATIONS=1000000 dotnet test --filter FullyQualifiedName~JpegFuzzTests</c>.
/// </summary>
public sealed class JpegFuzzTests
{
    private static readonly int Mutations =
        int.TryParse(Environment.GetEnvironmentVariable("DARKROOM_JPEG_MUTATIONS"), CultureInfo.InvariantCulture, out var count) ? count : 20_000;

    // Decoding each result would take most of the time.
    private const int Checked = 20;

    private readonly ImageOptions _limits = new() { MaxMegapixels = 1, MaxInterlacedMegapixels = 1, MaxScans = 20 };

    [Fact]
    public void Mutated_files_end_in_an_outcome()
    {
        Darkroom.Images.Vips.VipsRuntime.EnsureStarted();
        var files = Samples();
        var (transcoded, refused) = (0, 0);
        Parallel.For(0, Environment.ProcessorCount, worker =>
        {
            var transcoder = new JpegTranscoder();
            using var output = new PooledBuffer();
            for (var seed = worker; seed < Mutations; seed += Environment.ProcessorCount)
            {
                var random = new Random(seed);
                var file = Mutate(files[seed % files.Count], random);
                if (!IsWithinLimits(file))
                    continue;
                output.Clear();
                var target = JpegTranscoderTests.Target(random.Next(1, 101), random.Next(1, 9));
                if (transcoder.TryTranscode(file, target, output, CancellationToken.None) is not null)
                {
                    Assert.Equal(0, output.Length);
                    Interlocked.Increment(ref refused);
                    continue;
                }

                if (Interlocked.Increment(ref transcoded) % Checked == 0)
                    AssertReadable(output.Span.ToArray(), seed);
            }
        });
        Assert.True(transcoded > Mutations / 50 && refused > Mutations / 50, $"{transcoded} transcoded, {refused} refused");
    }

    private bool IsWithinLimits(byte[] file)
    {
        try
        {
            return ImageContainers.Inspect(ImageFormat.Jpeg, file).CheckLimits(_limits) is null;
        }
        catch (ImageFailedException)
        {
            return false;
        }
    }

    private static void AssertReadable(byte[] file, int seed)
    {
        try
        {
            using var decoded = Image.JpegloadBuffer(file, failOn: Enums.FailOn.Warning);
            decoded.Avg();
        }
        catch (VipsException e)
        {
            Assert.Fail($"Seed {seed}: {e.Message}");
        }
    }

    private static List<byte[]> Samples()
    {
        using var photo = TestImages.Photo(80, 60);
        using var grey = photo.Colourspace(Enums.Interpretation.Bw);
        return
        [
            photo.JpegsaveBuffer(q: 90),
            photo.JpegsaveBuffer(q: 90, subsampleMode: Enums.ForeignSubsample.Off),
            photo.JpegsaveBuffer(q: 90, interlace: true),
            photo.JpegsaveBuffer(q: 95, interlace: true, subsampleMode: Enums.ForeignSubsample.Off, restartInterval: 2),
            grey.JpegsaveBuffer(q: 80, interlace: true),
            .. ((string[])["grey", "4:4:4", "4:2:2", "4:4:0", "4:2:0"]).Select(
                (sampling, i) => JpegTranscoderTests.Sample(sampling, 50 + i, 41, isInterleaved: i % 2 == 0, restart: i * 3).Write(i)),
        ];
    }

    /// <summary>Changes a few bits or bytes, anywhere or in the headers, cuts, repeats or swaps a part.</summary>
    private static byte[] Mutate(byte[] original, Random random)
    {
        var file = original.ToList();
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            // Headers are a small part of a file, but decide what becomes of the rest.
            var at = random.Next(random.Next(2) == 0 ? Math.Min(file.Count, 700) : file.Count);
            var length = Math.Min(random.Next(1, 40), file.Count - at);
            switch (random.Next(6))
            {
                case 0 or 1:
                    file[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    file[at] = (byte)(random.Next(3) == 0 ? 0xFF : random.Next(256));
                    break;
                case 3 when file.Count > 100:
                    file.RemoveRange(at, length);
                    break;
                case 4:
                    file.InsertRange(at, file.GetRange(at, length));
                    break;
                default:
                    file.InsertRange(random.Next(file.Count), file.GetRange(at, length));
                    break;
            }
        }

        return [.. file];
    }
}
