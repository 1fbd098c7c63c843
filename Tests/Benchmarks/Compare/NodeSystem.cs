using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Darkroom.Benchmarks.Product;

namespace Darkroom.Benchmarks.Compare;

/// <summary>
/// The Node system (fastify, BullMQ, sharp) of the folder that DARKROOM_PEER names, in its best setting. It runs from a copy, in which the object
/// store and the image server are those that ours gets, and the worker can be told to store originals.
/// </summary>
internal sealed class NodeSystem : IDisposable
{
    // The ports that its scripts expect.
    private const int StorePort = 5633;
    private const int PhotoPort = 5634;

    /// <summary>Images that its script runs before those that it reports.</summary>
    private const int WarmUp = 60;

    private readonly DirectoryInfo _copy = Directory.CreateTempSubdirectory("darkroom-bench-node-");

    private NodeSystem()
    {
    }

    /// <summary>Null if DARKROOM_PEER is not set.</summary>
    public static NodeSystem? TryCreate()
    {
        if (Environment.GetEnvironmentVariable("DARKROOM_PEER") is not { Length: > 0 } peer)
            return null;
        var system = new NodeSystem();
        // Its PostgreSQL runs as another user.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(system._copy.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var folder = Path.Combine(peer, "node");
        foreach (var file in Directory.EnumerateFiles(folder))
            File.Copy(file, Path.Combine(system._copy.FullName, Path.GetFileName(file)));
        if (Directory.Exists(Path.Combine(folder, "node_modules")))
            Directory.CreateSymbolicLink(Path.Combine(system._copy.FullName, "node_modules"), Path.Combine(folder, "node_modules"));
        system.Change("run.sh", "node s3.js >\"$D/s3.log\" 2>&1 & S3P=$!; P+=($S3P)", "S3P=$STORE_PID");
        system.Change("run.sh", "node imgserver.js >\"$D/img.log\" 2>&1 & IP=$!; P+=($IP)", "IP=$PHOTOS_PID");
        system.Change(
            "worker.js",
            "const out =",
            """
            if (process.env.STORE_ORIGINALS) await s3.send(new PutObjectCommand({ Bucket: cfg.bucket, Key: `${requestId}/${imageId}-original.jpg`, Body: input, ContentType: 'image/jpeg' }));
              const out =
            """);
        return system;
    }

    public async Task<SystemRun> RunAsync(Setup setup, string folder, int images)
    {
        await using var photos = await PhotoServer.StartAsync(folder, PhotoPort);
        await using var store = await StoreServer.StartAsync(setup.IsSink, StorePort);
        var line = await RunScriptAsync(images, folder, store.Id, photos.Id, setup.BothStoreOriginals);
        var (sent, received) = (await photos.StopAsync(), await store.StopAsync());
        DarkroomSystem.Expect(line.GetProperty("ok").GetInt64(), images, "finished images");
        DarkroomSystem.Expect(sent.Images, WarmUp + images, "downloads");
        DarkroomSystem.Expect(received.Images, (setup.BothStoreOriginals ? 2 : 1) * (WarmUp + images), "stored images");

        var cpu = line.GetProperty("cpu").EnumerateObject().Where(group => !group.Name.StartsWith('_') && group.Name != "driver");
        return new SystemRun(
            "Node",
            line.GetProperty("ips").GetDouble(),
            cpu.ToDictionary(group => Name(group.Name), group => 1000 * group.Value.GetDouble() / images),
            line.GetProperty("rssMB").EnumerateObject().ToDictionary(group => Name(group.Name), group => group.Value.EnumerateArray().Sum(peak => peak.GetDouble())),
            (received.Bytes - (setup.BothStoreOriginals ? sent.Bytes : 0)) / (double)sent.Images,
            line.GetProperty("otherCpu").GetDouble());
    }

    private async Task<JsonElement> RunScriptAsync(int images, string folder, int store, int photos, bool storesOriginals)
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(_copy.FullName, "run.sh"), images.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = _copy.FullName,
        };
        foreach (var (name, value) in ((string, string)[])
                 [
                     ("WORKERS", "1"), ("CONCURRENCY", "8"), ("MALLOCTUNE", "1"), ("CORPUS_DIR", Path.GetFullPath(folder)),
                     ("STORE_PID", store.ToString(CultureInfo.InvariantCulture)), ("PHOTOS_PID", photos.ToString(CultureInfo.InvariantCulture)),
                     ("STORE_ORIGINALS", storesOriginals ? "1" : ""),
                 ])
            start.Environment[name] = value;
        using var script = Process.Start(start)!;
        var output = await script.StandardOutput.ReadToEndAsync();
        await script.WaitForExitAsync();
        var last = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault(line => line.StartsWith('{'));
        return last is null
            ? throw new InvalidOperationException($"The Node system ended with code {script.ExitCode} and without figures: {output}")
            : JsonDocument.Parse(last).RootElement;
    }

    private void Change(string file, string from, string to)
    {
        var path = Path.Combine(_copy.FullName, file);
        var text = File.ReadAllText(path);
        if (text.Split(from).Length != 2)
            throw new InvalidOperationException($"{file} of the Node system is not the one that this benchmark knows: it should contain '{from}' once.");
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
    }

    private static string Name(string group) => group switch
    {
        "workers" => "worker",
        "img" => "photos",
        _ => group,
    };

    public void Dispose() => _copy.Delete(recursive: true);
}
