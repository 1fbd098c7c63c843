using System.Diagnostics;
using Darkroom.AppHost.Processes;
using Darkroom.Images;
using Darkroom.Images.Decoders;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Darkroom.Benchmarks.Codec;

/// <summary>
/// CPU time per image in a decoder, everything on both sides of the pipe included, as a ratio to the same codec called directly, by format.
/// Both run alternately on the same files; the interval is the middle 95 % of 10,000 resampled medians of the pairs' ratios.
/// <c>containment [folder]</c>
/// </summary>
internal static class ContainmentBenchmark
{
    /// <summary>The program that the benchmark starts for the direct calls: environment and runtime settings are those of a decoder.</summary>
    public const string Verb = "codec-directly";

    private static readonly ImagePlan Plan = ImagePlan.Empty.Add(new ImageStep.Compress(50));
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(BenchmarkOptions arguments)
    {
        var folder = arguments.Arguments.FirstOrDefault() ?? Environment.GetEnvironmentVariable("DARKROOM_BENCH_CORPUS")
            ?? throw new ArgumentException("Which folder of images?");
        var images = new ImageOptions { CodecSlots = 1 };
        var program = Path.Combine(AppContext.BaseDirectory, "Benchmarks.dll");
        using var pool = new DecoderPool(
            new DecoderProgram(DotnetHost.Path, ["exec", program, DecoderProgram.Verb]), TimeProvider.System, Options.Create(images),
            Options.Create(new DecoderOptions { Images = 1_000_000 }), NullLogger<DecoderPool>.Instance);
        await pool.StartAsync(CancellationToken.None);
        var codec = new DecoderCodec(new PixelBudget(Options.Create(images)), pool, Options.Create(images));
        foreach (var format in (string[])["*.jpg", "*.png", "*.webp"])
        {
            var files = Directory.GetFiles(folder, format, SearchOption.AllDirectories);
            if (files.Length == 0)
                continue;
            using var directly = new DirectCodec(program, folder, format);
            var contained = new ContainedCodec(pool, codec, [.. files.Select(File.ReadAllBytes)]);
            // Compiles the code of both.
            var count = await contained.CountAsync(RoundTime);
            await directly.MeasureAsync(count);
            var pairs = new List<(double Direct, double Contained)>();
            for (var round = 0; round < arguments.Rounds; round++)
            {
                // Whatever drifts must not favour one of the two.
                var first = round % 2 == 0 ? await directly.MeasureAsync(count) : 0;
                var second = await contained.MeasureAsync(count);
                pairs.Add((round % 2 == 0 ? first : await directly.MeasureAsync(count), second));
            }

            var (low, median, high) = Interval([.. pairs.Select(pair => pair.Contained / pair.Direct)]);
            Report.Write(new
            {
                Format = format,
                Files = files.Length,
                Pairs = pairs.Count,
                ImagesARound = count,
                DirectMs = Report.Rounded(Report.Median([.. pairs.Select(pair => pair.Direct)])),
                ContainedMs = Report.Rounded(Report.Median([.. pairs.Select(pair => pair.Contained)])),
                Ratio = Report.Rounded(median, 4),
                From = Report.Rounded(low, 4),
                To = Report.Rounded(high, 4),
                Load = Report.LoadAverage(),
            });
        }
    }

    /// <summary>Answers each number on standard input with the CPU milliseconds that so many images took.</summary>
    public static void Serve(string folder, string format)
    {
        var executor = PlanExecutor.Create(new ImageOptions(), TimeProvider.System);
        var files = Directory.GetFiles(folder, format, SearchOption.AllDirectories).Select(File.ReadAllBytes).ToList();
        while (Console.ReadLine() is { } count)
        {
            var before = Process.GetCurrentProcess().TotalProcessorTime;
            for (var i = 0; i < int.Parse(count, System.Globalization.CultureInfo.InvariantCulture); i++)
            {
                using var result = new PooledBuffer(files[i % files.Count].Length / 2);
                executor.Run(files[i % files.Count], Plan, result);
            }

            Console.WriteLine((Process.GetCurrentProcess().TotalProcessorTime - before).TotalMilliseconds.ToString("R", System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    private static (double Low, double Median, double High) Interval(double[] ratios)
    {
        var random = new Random(1);
        var medians = Enumerable.Range(0, 10_000).Select(_ => Report.Median([.. ratios.Select(_ => ratios[random.Next(ratios.Length)])])).Order().ToArray();
        return (medians[250], Report.Median(ratios), medians[9_750]);
    }

    private sealed class DirectCodec : IDisposable
    {
        private readonly Process _process;

        public DirectCodec(string program, string folder, string format)
        {
            var start = new DecoderProgram(DotnetHost.Path, ["exec", program, Verb, folder, format]).StartInfo(new DecoderLimits(int.MaxValue, 0));
            start.RedirectStandardError = false;
            _process = Process.Start(start)!;
        }

        /// <summary>CPU milliseconds an image.</summary>
        public async Task<double> MeasureAsync(int images)
        {
            await _process.StandardInput.WriteLineAsync($"{images}");
            await _process.StandardInput.FlushAsync();
            return double.Parse((await _process.StandardOutput.ReadLineAsync())!, System.Globalization.CultureInfo.InvariantCulture) / images;
        }

        public void Dispose()
        {
            _process.StandardInput.Close();
            _process.WaitForExit();
            _process.Dispose();
        }
    }

    private sealed class ContainedCodec(DecoderPool pool, DecoderCodec codec, List<byte[]> files)
    {
        public async Task<int> CountAsync(TimeSpan time)
        {
            await RunAsync(files.Count);
            var watch = Stopwatch.StartNew();
            var images = 0;
            for (; watch.Elapsed < time; images += files.Count)
                await RunAsync(files.Count);
            return images;
        }

        /// <summary>CPU milliseconds an image, of this process and the decoder.</summary>
        public async Task<double> MeasureAsync(int images)
        {
            var before = CpuTime();
            await RunAsync(images);
            return (CpuTime() - before).TotalMilliseconds / images;
        }

        private async Task RunAsync(int images)
        {
            for (var i = 0; i < images; i++)
            {
                using var result = new PooledBuffer(files[i % files.Count].Length / 2);
                await codec.RunAsync(default, files[i % files.Count], Plan, isSuspect: true, result, CancellationToken.None);
            }
        }

        private TimeSpan CpuTime()
        {
            using var decoder = Process.GetProcessById(pool.Processes.Single());
            return decoder.TotalProcessorTime + Process.GetCurrentProcess().TotalProcessorTime;
        }
    }
}
