using System.Globalization;
using System.Text;

namespace Darkroom.Benchmarks.Compare;

/// <summary>
/// This product beside the Node system that people would pick instead, in turn, one worker each. Prints every run, and in the end one table.
/// <c>compare [images] [folder of photos] [--rounds n]</c>
/// </summary>
internal static class CompareBenchmark
{
    /// <summary>As many as the Node system's script runs first.</summary>
    private const int WarmUp = 60;

    private static readonly Setup[] Setups =
        [new(BothStoreOriginals: true, IsSink: false), new(BothStoreOriginals: true, IsSink: true), new(BothStoreOriginals: false, IsSink: false), new(BothStoreOriginals: false, IsSink: true)];

    public static async Task RunAsync(BenchmarkOptions options)
    {
        var images = options.Count(1_000);
        var folder = options.Arguments.ElementAtOrDefault(1) ?? Environment.GetEnvironmentVariable("DARKROOM_BENCH_CORPUS")
            ?? throw new ArgumentException("Which folder of photos?");
        using var node = NodeSystem.TryCreate();
        var table = new StringBuilder();
        foreach (var setup in Setups)
        {
            var (ours, theirs) = (new List<SystemRun>(), new List<SystemRun>());
            for (var round = 1; round <= options.Rounds; round++)
            {
                Add(ours, await DarkroomSystem.RunAsync(options, setup, folder, WarmUp, images), setup, round);
                if (node is not null)
                    Add(theirs, await node.RunAsync(setup, folder, images), setup, round);
            }

            AppendTable(table, setup, ours, theirs);
        }

        Console.WriteLine(table);
    }

    private static void Add(List<SystemRun> runs, SystemRun run, Setup setup, int round)
    {
        runs.Add(run);
        Report.Write(new
        {
            benchmark = "compare",
            setup = setup.ToString(),
            round,
            run.System,
            imagesPerSecond = Report.Rounded(run.ImagesPerSecond, 1),
            cpuMsPerImage = Report.Rounded(run.TotalCpuMs),
            cpuMsPerImageOf = run.CpuMs.ToDictionary(pair => pair.Key, pair => Report.Rounded(pair.Value)),
            peakMegabytes = run.Peaks,
            bytes = Report.Rounded(run.Bytes, 0),
            otherCpuSeconds = Report.Rounded(run.OtherCpuSeconds),
            load = Report.LoadAverage(),
        });
    }

    private static void AppendTable(StringBuilder table, Setup setup, List<SystemRun> ours, List<SystemRun> theirs)
    {
        table.AppendLine().AppendLine(setup.ToString());
        Row("", "Darkroom", "Node", "ratio", "min", "max");
        Compare("images/s", run => run.ImagesPerSecond);
        Compare("CPU ms an image", run => run.TotalCpuMs);
        foreach (var process in ours.Concat(theirs).SelectMany(run => run.CpuMs.Keys).Distinct().Order(StringComparer.Ordinal))
            Compare("  " + process, run => run.CpuMs.GetValueOrDefault(process));
        foreach (var process in (string[])["worker", "api"])
            Compare($"peak MB, {process}", run => run.Peaks.GetValueOrDefault(process));
        Compare("bytes of a result", run => run.Bytes);

        void Compare(string what, Func<SystemRun, double> figure)
        {
            var (own, other) = (ours.Select(figure).ToArray(), theirs.Select(figure).ToArray());
            var ratios = own.Zip(other, (left, right) => left / right).ToArray();
            Row(what, Text(Report.Median(own)), Text(Report.Median(other)), Text(Report.Median(ratios)), Text(ratios.DefaultIfEmpty(double.NaN).Min()), Text(ratios.DefaultIfEmpty(double.NaN).Max()));
        }

        void Row(string what, params string[] cells) => table.Append(what.PadRight(20)).AppendJoin("", cells.Select(cell => cell.PadLeft(12))).AppendLine();
    }

    private static string Text(double value) => double.IsFinite(value) ? value.ToString("0.00", CultureInfo.InvariantCulture) : "-";
}
