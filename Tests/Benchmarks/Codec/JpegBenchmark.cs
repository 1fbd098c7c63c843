using System.Diagnostics;
using System.Globalization;
using Darkroom.Images;
using Darkroom.Images.Containers;
using Darkroom.Images.Decoders;
using Darkroom.Images.Jpeg;
using NetVips;

namespace Darkroom.Benchmarks.Codec;

/// <summary>
/// The transcoder beside libvips on the same JPEG files, at quality 50, on one core: speed, bytes and likeness to the source, by kind of file.
/// Both run alternately in this process, and where DARKROOM_PEER names its folder, sharp in turn with them. Start it with the <c>MALLOC_</c> settings
/// of a decoder, or libvips is too slow.
/// <c>jpeg [folder] [--rounds n] [--Images:Jpeg:DeadZone=0.1]</c>
/// </summary>
internal static class JpegBenchmark
{
    private const int Quality = 50;

    public static void Run(BenchmarkOptions arguments)
    {
        var folder = arguments.Arguments.FirstOrDefault() ?? Environment.GetEnvironmentVariable("DARKROOM_BENCH_CORPUS")
            ?? throw new ArgumentException("Which folder of images?");
        var deadZone = double.Parse(arguments.Setting("Images__Jpeg__DeadZone") ?? "0", CultureInfo.InvariantCulture);
        var photos = Directory.GetFiles(folder, "*.jp*g", SearchOption.AllDirectories).Select(Photo.Read).ToList();
        var sharp = SharpPeer.TryCreate();
        foreach (var kind in photos.GroupBy(photo => photo.Kind).Append(photos.GroupBy(_ => "all").Single()))
            Report.Write(Compare(kind.Key, [.. kind], sharp, arguments.Rounds, deadZone));
    }

    private static object Compare(string kind, List<Photo> photos, SharpPeer? sharp, int rounds, double deadZone)
    {
        var (transcoder, general) = (new JpegTranscoder(), PlanExecutor.Create(new ImageOptions(), TimeProvider.System));
        var target = new JpegTarget(Quality, JpegOrientation.Of(1), null, new JpegOptions { DeadZone = deadZone });
        var plan = ImagePlan.Empty.Add(new ImageStep.Compress(Quality));
        var left = photos.Count(photo => !Transcode(photo, new PooledBuffer()));
        // Compiles the code of both.
        Measure(photos, (photo, result) => Transcode(photo, result));
        Measure(photos, Encode);
        var (ours, theirs, sharps) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            ours.Add(Measure(photos, (photo, result) => Transcode(photo, result)));
            theirs.Add(Measure(photos, Encode));
            if (sharp is not null)
                sharps.Add(sharp.Measure(Quality, photos.Select(photo => photo.Path)));
        }

        var likeness = photos.Select(photo => Likeness(photo, Output(photo, (p, r) => Transcode(p, r))) - Likeness(photo, Output(photo, Encode))).ToList();
        var megapixels = photos.Sum(photo => photo.Megapixels);
        return new
        {
            Kind = kind,
            Files = photos.Count,
            LeftToLibvips = left,
            MegapixelsPerSecond = Report.Rounded(megapixels / ours.Min(), 1),
            Libvips = Report.Rounded(megapixels / theirs.Min(), 1),
            Ratio = Ratio(theirs),
            Sharp = sharp is null ? (double?)null : Report.Rounded(megapixels / sharps.Min(), 1),
            RatioToSharp = sharp is null ? (double?)null : Ratio(sharps),
            Bytes = Report.Rounded(photos.Sum(photo => Output(photo, (p, r) => Transcode(p, r)).Length) / (double)photos.Sum(photo => Output(photo, Encode).Length), 3),
            Likeness = Report.Rounded(likeness.Average(), 4),
            WorstLikeness = Report.Rounded(likeness.Min(), 4),
            Load = Report.LoadAverage(),
        };

        double Ratio(List<double> others) => Report.Rounded(Report.Median([.. ours.Zip(others, (own, other) => other / own)]));

        bool Transcode(Photo photo, PooledBuffer result) => transcoder.TryTranscode(photo.File, target, result, CancellationToken.None) is null;

        void Encode(Photo photo, PooledBuffer result) => general.Run(photo.File, plan, result);
    }

    /// <summary>CPU seconds for all photos.</summary>
    private static double Measure(List<Photo> photos, Action<Photo, PooledBuffer> run)
    {
        using var result = new PooledBuffer();
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        foreach (var photo in photos)
        {
            result.Clear();
            run(photo, result);
        }

        return (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
    }

    private static byte[] Output(Photo photo, Action<Photo, PooledBuffer> run)
    {
        using var result = new PooledBuffer();
        run(photo, result);
        return result.Span.ToArray();
    }

    /// <summary>
    /// The mean structural similarity of the luma of source and output (Wang et al., IEEE Transactions on Image Processing 13, 2004).
    /// </summary>
    private static double Likeness(Photo photo, byte[] output)
    {
        const double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
        using var source = Luma(photo.File);
        using var result = Luma(output);
        using var sourceMean = Smooth(source);
        using var resultMean = Smooth(result);
        using var sourceVariance = Smooth(source * source) - sourceMean * sourceMean;
        using var resultVariance = Smooth(result * result) - resultMean * resultMean;
        using var covariance = Smooth(source * result) - sourceMean * resultMean;
        using var map = (2 * sourceMean * resultMean + c1) * (2 * covariance + c2)
            / ((sourceMean * sourceMean + resultMean * resultMean + c1) * (sourceVariance + resultVariance + c2));
        return map.Avg();
    }

    private static Image Luma(byte[] file) => Image.JpegloadBuffer(file).Colourspace(Enums.Interpretation.Bw).Cast(Enums.BandFormat.Float);

    private static Image Smooth(Image image) => image.Gaussblur(1.5, precision: Enums.Precision.Float);

    private sealed record Photo(string Path, byte[] File, string Kind, double Megapixels)
    {
        public static Photo Read(string path)
        {
            var file = System.IO.File.ReadAllBytes(path);
            var header = ImageContainers.Inspect(ImageFormat.Jpeg, file);
            var segments = new JpegSegments(file);
            var sampling = "";
            while (segments.Next())
                if (segments.Marker is JpegMarker.Sof0 or JpegMarker.Sof1 or JpegMarker.Sof2)
                    sampling = segments.Payload[5] == 1 ? "grey" : $"{segments.Payload[7] >> 4}x{segments.Payload[7] & 15}";
            return new Photo(path, file, $"{(header.Interlaced ? "progressive" : "sequential")} {sampling}", header.Pixels / 1e6);
        }
    }
}
