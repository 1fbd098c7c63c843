using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Darkroom.Benchmarks.Loops;

/// <summary>Inner loops, measured by BenchmarkDotNet. <c>loops [--filter *Jpeg*]</c> and its other options</summary>
internal static class LoopBenchmarks
{
    public static void Run(string[] arguments)
    {
        var artifacts = Directory.CreateTempSubdirectory("darkroom-bench-");
        try
        {
            var config = ManualConfig.CreateEmpty()
                // In this process: a project that it would generate knows neither our package versions nor our settings.
                .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance))
                .AddDiagnoser(MemoryDiagnoser.Default)
                .AddColumnProvider(DefaultColumnProviders.Instance)
                .AddLogger(ConsoleLogger.Default)
                .WithArtifactsPath(artifacts.FullName);
            BenchmarkSwitcher.FromTypes([typeof(JpegLoops), typeof(ClaimLoops), typeof(QueueLoops), typeof(BodyLoops)])
                .Run(arguments.Length > 0 ? arguments : ["--filter", "*"], config);
        }
        finally
        {
            artifacts.Delete(recursive: true);
        }
    }
}
