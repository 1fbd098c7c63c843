using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Darkroom.AppHost.Processes;

namespace Darkroom.Benchmarks.Product;

/// <summary>
/// The whole product as the AppHost starts it, in a folder of its own: nothing is set up by the benchmark that a person's set-up
/// would not have, but for what the command line asks.
/// </summary>
internal sealed class ProductHost : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly DirectoryInfo _data;

    private ProductHost(Process process, DirectoryInfo data) => (_process, _data) = (process, data);

    public RunFile Run { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public ProcessMeter Meter { get; private set; } = null!;

    /// <param name="options">Its workers, and settings for host and services.</param>
    public static async Task<ProductHost> StartAsync(BenchmarkOptions options)
    {
        var data = Directory.CreateTempSubdirectory("darkroom-bench-");
        var start = new ProcessStartInfo(
            DotnetHost.Path,
            [
                typeof(DotnetHost).Assembly.Location, "--data", data.FullName, "--Ports:Api=0", "--Ports:S3=0", "--Ports:Samples=0", "--Dashboard=false",
                string.Create(CultureInfo.InvariantCulture, $"--Workers={options.Workers}"),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in options.Settings) start.Environment[name] = value;
        var host = new ProductHost(Process.Start(start)!, data);
        try
        {
            await host.UntilHealthyAsync(Path.Combine(data.FullName, "host.log"));
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public async Task<RequestRun> UploadAsync(Stream csv, WebhookInbox inbox)
    {
        using var form = new MultipartFormDataContent
        {
            { new StreamContent(csv), "file", "products.csv" },
            { new StringContent(inbox.Url), "webhook_url" },
        };
        var watch = Stopwatch.StartNew();
        using var response = await Client.PostAsync("/v1/requests", form);
        var body = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"The upload was answered {(int)response.StatusCode}: {body}");
        return new RequestRun(JsonDocument.Parse(body).RootElement.GetProperty("id").GetGuid(), watch.Elapsed);
    }

    public async Task<JsonElement> StatusAsync(Guid request) =>
        JsonDocument.Parse(await Client.GetStringAsync($"/v1/requests/{request}")).RootElement;

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            if (OperatingSystem.IsWindows()) _process.Kill(entireProcessTree: true);
            else Unix.Signal(_process.Id, Unix.Terminate);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        Client?.Dispose();
        _data.Delete(recursive: true);
    }

    private async Task UntilHealthyAsync(string log)
    {
        // An unread pipe would stop the host.
        var lines = TextWriter.Synchronized(new StreamWriter(log) { AutoFlush = true });
        _process.OutputDataReceived += (_, line) => lines.WriteLine(line.Data);
        _process.ErrorDataReceived += (_, line) => lines.WriteLine(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var file = Path.Combine(_data.FullName, "run.json");
        var watch = Stopwatch.StartNew();
        while (!File.Exists(file))
        {
            if (_process.HasExited || watch.Elapsed > StartLimit)
                throw new InvalidOperationException($"The host is not healthy:\n{await File.ReadAllTextAsync(log)}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        Run = JsonSerializer.Deserialize<RunFile>(await File.ReadAllTextAsync(file), JsonSerializerOptions.Web)!;
        Client = new HttpClient { BaseAddress = Run.Api, Timeout = TimeSpan.FromMinutes(10) };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Run.Key);
        Meter = new ProcessMeter(Run.Processes.Select(process => (process.Name, process.Pid)));
    }
}

/// <summary>A request on its way.</summary>
internal readonly record struct RequestRun(Guid Id, TimeSpan Accepted);

/// <summary>The fields of run.json that are needed here.</summary>
internal sealed record RunFile(Uri Api, string Key, Dictionary<string, string> ConnectionStrings, RunProcess[] Processes);

internal sealed record RunProcess(string Name, int Pid);
