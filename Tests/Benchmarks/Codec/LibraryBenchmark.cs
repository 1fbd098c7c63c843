using System.Diagnostics;
using Darkroom.Images;
using Darkroom.Images.Decoders;
using Darkroom.Images.ImageSharp;
using Darkroom.Images.Vips;

namespace Darkroom.Benchmarks.Codec;

/// <summary>
/// Speed and bytes of ImageSharp, compared with libvips, in this process, alternately, by format. <c>libraries [folder] [--rounds n]</c>
/// </summary>
internal static class LibraryBenchmark
{
    private static readonly ImagePlan Plan = ImagePlan.Empty.Add(new ImageStep.Compress(50));

    public static void Run(BenchmarkOptions arguments)
    {
        var folder = arguments.Arguments.FirstOrDefault() ?? Environment.GetEnvironmentVariable("DARKROOM_BENCH_CORPUS")
            ?? throw new ArgumentException("Which folder of images?");
        var options = new ImageOptions();
        var libvips = new PlanExecutor(options, new VipsCodec(options, TimeProvider.System));
        var imageSharp = new PlanExecutor(options, new ImageSharpCodec(options, TimeProvider.System));
        foreach (var format in Directory.GetFiles(folder).Select(File.ReadAllBytes).GroupBy(file => FormatSniffer.Recognise(file)))
        {
            var files = format.ToList();
            // Compiles the code of both.
            var (theirBytes, bytes) = (Measure(libvips, files).Bytes, Measure(imageSharp, files).Bytes);
            var ratios = new List<double>();
            for (var round = 0; round < arguments.Rounds; round++)
                ratios.Add(Measure(libvips, files).Seconds / Measure(imageSharp, files).Seconds);
            Report.Write(new
            {
                benchmark = "libraries",
                format = format.Key.ToString(),
                files = files.Count,
                speedOverLibvips = Report.Rounded(Report.Median(ratios)),
                bytesOverLibvips = Report.Rounded(bytes / (double)theirBytes),
                load = Report.LoadAverage(),
            });
        }
    }

    /// <summary>CPU seconds for all files, and the bytes of their results.</summary>
    private static (double Seconds, long Bytes) Measure(PlanExecutor executor, List<byte[]> files)
    {
        using var result = new PooledBuffer();
        var bytes = 0L;
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        foreach (var file in files)
        {
            result.Clear();
            executor.Run(file, Plan, result);
            bytes += result.Length;
        }

        return ((Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds, bytes);
    }
}
