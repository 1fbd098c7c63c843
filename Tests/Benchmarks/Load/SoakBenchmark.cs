using System.Diagnostics;
using System.Globalization;
using Darkroom.Benchmarks.Product;
using Npgsql;

namespace Darkroom.Benchmarks.Load;

/// <summary>
/// Mixed load for a while, with one worker killed every minute: every request must end well, and nothing may grow. Reports memory, open files,
/// threads, connections and temporary files as the last quarter's averages divided by those of the second quarter.
/// <c>soak [minutes]</c>, 20 by default; Linux only.
/// </summary>
internal static class SoakBenchmark
{
    private const int ImagesPerRequest = 40;
    private static readonly TimeSpan Sample = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenKills = TimeSpan.FromMinutes(1);

    public static async Task RunAsync(BenchmarkOptions options)
    {
        var time = TimeSpan.FromMinutes(options.Count(20));
        var folder = Path.Combine(AppHost.Hosting.Repository.Root, "AppHost", "Samples");
        await using var photos = await PhotoServer.StartAsync(folder);
        await using var inbox = await WebhookInbox.StartAsync();
        await using var product = await ProductHost.StartAsync(options);
        await using var database = NpgsqlDataSource.Create(product.Run.ConnectionStrings["darkroom"]);
        var urls = PhotoServer.PhotosIn(folder).Select(photo => $"{photos.Url}/{Path.GetFileName(photo)}").ToList();
        // Some fail, so that this path is part of the load.
        urls.Add($"{photos.Url}/missing.jpg");
        var csv = ProductCsv.Of([.. Enumerable.Range(0, ImagesPerRequest).Select(i => urls[i % urls.Count])]);

        var model = product.Run.Processes.First(process => process.Name.StartsWith("worker", StringComparison.Ordinal));
        using var over = new CancellationTokenSource(time);
        var samples = new List<Dictionary<string, double>>();
        var sampling = SampleAsync(product, database, samples, over.Token);
        var kills = KillAsync(model.Pid, over.Token);
        var statuses = new Dictionary<string, int>();
        var requests = 0;
        try
        {
            while (!over.IsCancellationRequested)
            {
                // Two at a time: the machine is busy, but no queue builds up.
                for (var i = 0; i < 2; i++)
                    await product.UploadAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(csv)), inbox);
                for (var i = 0; i < 2; i++)
                {
                    var end = (await inbox.NextAsync(TimeSpan.FromMinutes(5))).GetProperty("data").GetProperty("status").GetString()!;
                    statuses[end] = statuses.GetValueOrDefault(end) + 1;
                    requests++;
                }
            }
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(sampling, kills);
        }

        Report.Write(new
        {
            benchmark = "soak",
            minutes = time.TotalMinutes,
            kills = await kills,
            requests,
            images = requests * ImagesPerRequest,
            statuses,
            growth = Growth(samples),
            most = samples.SelectMany(sample => sample.Keys).Distinct().Where(name => name.EndsWith("connections", StringComparison.Ordinal))
                .ToDictionary(name => name, name => samples.Max(sample => sample.GetValueOrDefault(name))),
            atTheEnd = samples[^1].ToDictionary(pair => pair.Key, pair => Report.Rounded(pair.Value, 0)),
        });
    }

    /// <summary>Runs a copy of a worker, and kills it every minute for another. Returns how many were killed.</summary>
    private static async Task<int> KillAsync(int model, CancellationToken over)
    {
        var kills = 0;
        while (true)
        {
            using var worker = Process.Start(CopyOf(model))!;
            try
            {
                await Task.Delay(BetweenKills, TimeProvider.System, over);
                kills++;
            }
            catch (OperationCanceledException)
            {
                return kills;
            }
            finally
            {
                worker.Kill();
                await worker.WaitForExitAsync(CancellationToken.None);
            }
        }
    }

    /// <summary>The same program with the same settings, which only the environment of a running worker contains.</summary>
    private static ProcessStartInfo CopyOf(int process)
    {
        var start = new ProcessStartInfo(new FileInfo($"/proc/{process}/exe").LinkTarget!) { WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in Lines($"/proc/{process}/cmdline").Skip(1))
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        foreach (var variable in Lines($"/proc/{process}/environ").Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2))
            start.Environment[variable[0]] = variable[1];
        start.Environment["Logging__LogLevel__Default"] = "None";
        return start;
    }

    private static string[] Lines(string file) => File.ReadAllText(file).Split('\0', StringSplitOptions.RemoveEmptyEntries);

    private static async Task SampleAsync(
        ProductHost product, NpgsqlDataSource database, List<Dictionary<string, double>> samples, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            var sample = new Dictionary<string, double>();
            foreach (var (name, pid) in product.Run.Processes)
            {
                var status = File.ReadLines($"/proc/{pid}/status").Select(line => line.Split(':', 2)).ToDictionary(line => line[0], line => line[1].Trim());
                sample[$"{name} MB"] = double.Parse(status["VmRSS"].Split(' ')[0], CultureInfo.InvariantCulture) / 1024;
                sample[$"{name} threads"] = double.Parse(status["Threads"], CultureInfo.InvariantCulture);
                sample[$"{name} files"] = Directory.GetFiles($"/proc/{pid}/fd").Length;
            }

            var connections = await ConnectionsAsync(database);
            sample["connections"] = connections.Values.Sum();
            // The name of a session ends with its process. A process waits for a connection only when it has all that its pool may open.
            foreach (var (name, pid) in product.Run.Processes)
                if (connections.Where(session => session.Key.EndsWith($" {pid}", StringComparison.Ordinal)).Sum(session => session.Value) is > 0 and var open)
                    sample[$"{name} connections"] = open;
            sample["temporary files"] = Directory.EnumerateFileSystemEntries(Path.GetTempPath()).Count(file => !IsDebuggerSocket(file));
            samples.Add(sample);
            try
            {
                await Task.Delay(Sample, TimeProvider.System, over);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Whether the runtime opened it for debuggers; nobody removes those of a killed process.</summary>
    private static bool IsDebuggerSocket(string file) =>
        Path.GetFileName(file) is var name
        && (name.StartsWith("dotnet-diagnostic-", StringComparison.Ordinal) || name.StartsWith("clr-debug-pipe-", StringComparison.Ordinal));

    /// <summary>Open connections by the name of the session.</summary>
    private static async Task<Dictionary<string, long>> ConnectionsAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand(
            "select application_name, count(*) from pg_stat_activity where datname = current_database() group by 1");
        await using var reader = await command.ExecuteReaderAsync();
        var connections = new Dictionary<string, long>();
        while (await reader.ReadAsync())
            connections.Add(reader.GetString(0), reader.GetInt64(1));
        return connections;
    }

    /// <summary>The second quarter is past the warm-up.</summary>
    private static Dictionary<string, double> Growth(List<Dictionary<string, double>> samples)
    {
        var quarter = samples.Count / 4;
        return samples[0].Keys.ToDictionary(
            name => name,
            name => Report.Rounded(Average(samples[^quarter..], name) / Average(samples[quarter..(2 * quarter)], name)));
    }

    private static double Average(List<Dictionary<string, double>> samples, string name) => samples.Average(sample => sample.GetValueOrDefault(name));
}
