using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Darkroom.AppHost.Processes;
using Npgsql;

namespace Darkroom.Benchmarks.Product;

/// <summary>
/// The whole system, started through the AppHost with its own data folder. Apart from the settings on the command line, everything is
/// configured as in a normal local run.
/// </summary>
internal sealed class ProductHost : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly DirectoryInfo _data;

    private ProductHost(Process process, DirectoryInfo data) => (_process, _data) = (process, data);

    public RunFile Run { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public ProcessMeter Meter { get; private set; } = null!;

    /// <param name="options">Number of workers, and settings for host and services.</param>
    /// <param name="workers">How many workers, whatever the options say.</param>
    /// <param name="settings">More settings.</param>
    public static async Task<ProductHost> StartAsync(BenchmarkOptions options, int? workers = null, params (string Name, string Value)[] settings)
    {
        var data = Directory.CreateTempSubdirectory("darkroom-bench-");
        var start = new ProcessStartInfo(
            DotnetHost.Path,
            [
                typeof(DotnetHost).Assembly.Location, "--data", data.FullName, "--Ports:Api=0", "--Ports:S3=0", "--Ports:Samples=0", "--Dashboard=false",
                string.Create(CultureInfo.InvariantCulture, $"--Workers={workers ?? options.Workers}"),
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in options.Settings.Concat(settings))
            start.Environment[name] = value;
        var host = new ProductHost(Process.Start(start)!, data);
        try
        {
            await host.WaitUntilHealthyAsync(Path.Combine(data.FullName, "host.log"));
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
        var watch = Stopwatch.StartNew();
        using var response = await TryUploadAsync(csv, inbox);
        var body = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"The upload failed with status {(int)response.StatusCode}: {body}");
        return new RequestRun(JsonDocument.Parse(body).RootElement.GetProperty("id").GetGuid(), watch.Elapsed);
    }

    /// <summary>Uploads, and returns the response even if it is a refusal.</summary>
    public Task<HttpResponseMessage> TryUploadAsync(Stream csv, WebhookInbox inbox) =>
        Client.PostAsync("/v1/requests", new MultipartFormDataContent
        {
            { new StreamContent(csv), "file", "products.csv" },
            { new StringContent(inbox.Url), "webhook_url" },
        });

    /// <summary>A client with a key of its own, of another owner.</summary>
    public async Task<HttpClient> ClientOfAsync(string owner)
    {
        var start = new ProcessStartInfo(DotnetHost.Path, [typeof(Api.ApiApp).Assembly.Location, "keys", "create", "--owner", owner])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ConnectionStrings__darkroom"] = Run.ConnectionStrings["darkroom"];
        start.Environment["Secrets__Key"] = AppHost.Hosting.Secrets.ReadOrCreate(Path.Combine(_data.FullName, "secrets.json")).EncryptionKey;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var key = (await process.StandardOutput.ReadToEndAsync()).Trim();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"No key could be created: {await errors}");
        var client = new HttpClient { BaseAddress = Run.Api, Timeout = TimeSpan.FromMinutes(10) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public async Task<JsonElement> StatusAsync(Guid request) =>
        JsonDocument.Parse(await Client.GetStringAsync($"/v1/requests/{request}")).RootElement;

    public async Task<double> DatabaseMegabytesAsync()
    {
        await using var database = NpgsqlDataSource.Create(Run.ConnectionStrings["darkroom"]);
        return Math.Round((long)(await database.CreateCommand("select pg_database_size(current_database())").ExecuteScalarAsync())! / 1_048_576.0);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            if (OperatingSystem.IsWindows())
                _process.Kill(entireProcessTree: true);
            else
                Unix.Signal(_process.Id, Unix.Terminate);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        Client?.Dispose();
        _data.Delete(recursive: true);
    }

    private async Task WaitUntilHealthyAsync(string log)
    {
        // The host would block on a full pipe.
        var lines = TextWriter.Synchronized(new StreamWriter(log) { AutoFlush = true });
        _process.OutputDataReceived += (_, line) => lines.WriteLine(line.Data);
        _process.ErrorDataReceived += (_, line) => lines.WriteLine(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var file = Path.Combine(_data.FullName, "run.json");
        var watch = Stopwatch.StartNew();
        while (!File.Exists(file))
        {
            if (_process.HasExited || watch.Elapsed > StartTimeout)
                throw new InvalidOperationException($"The host did not become healthy:\n{await File.ReadAllTextAsync(log)}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        Run = JsonSerializer.Deserialize<RunFile>(await File.ReadAllTextAsync(file), JsonSerializerOptions.Web)!;
        Client = new HttpClient { BaseAddress = Run.Api, Timeout = TimeSpan.FromMinutes(10) };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Run.Key);
        Meter = new ProcessMeter(Run.Processes.Select(process => (process.Name, process.Pid)));
    }
}

/// <summary>An uploaded request.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Accepted">How long the upload took.</param>
internal readonly record struct RequestRun(Guid Id, TimeSpan Accepted);

/// <summary>The fields of run.json that the benchmarks need.</summary>
internal sealed record RunFile(Uri Api, string Key, Dictionary<string, string> ConnectionStrings, RunProcess[] Processes);

internal sealed record RunProcess(string Name, int Pid);
