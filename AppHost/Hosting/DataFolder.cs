using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// Everything that a development installation keeps: <c>.data</c> at the root of the repository, or the folder of <c>--data</c> or
/// <c>DARKROOM_DATA</c>. Held by one host at a time; deleting it starts anew.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream held)
    {
        Path = path;
        _lock = held;
        Secrets = Secrets.ReadOrCreate(System.IO.Path.Combine(path, "secrets.json"));
    }

    public string Path { get; }

    public Secrets Secrets { get; }

    /// <summary>What runs where, for scripts and tests; there while everything is healthy.</summary>
    public string RunFile => Below("run.json");

    public string Below(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Takes the folder. Throws, naming the process, if another host holds it.</summary>
    public static DataFolder Open(IConfiguration configuration)
    {
        var given = configuration["data"] ?? configuration["DARKROOM_DATA"];
        var path = given is { Length: > 0 } ? System.IO.Path.GetFullPath(given) : System.IO.Path.Combine(Repository.Root, ".data");
        PrivateFolder.Create(path);
        var held = Take(path);
        // A host that was killed left it behind, and it speaks of processes that are gone.
        File.Delete(System.IO.Path.Combine(path, "run.json"));
        return new DataFolder(path, held);
    }

    /// <summary>
    /// The operating system's lock on one file, so that it ends with its holder; the process id in another, which stays readable.
    /// </summary>
    private static FileStream Take(string path)
    {
        var holder = System.IO.Path.Combine(path, "lock");
        try
        {
            var held = new FileStream(holder + ".held", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            PrivateFolder.WriteFile(holder, Encoding.UTF8.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            return held;
        }
        catch (IOException)
        {
            var pid = File.Exists(holder) ? File.ReadAllText(holder).Trim() : "unknown";
            throw new SettingException(
                $"Another AppHost (process {pid}) uses {path}. Stop it first, or give this one a folder of its own: --data <folder>.");
        }
    }

    public void WriteRunFile(object content) =>
        PrivateFolder.WriteFile(RunFile, JsonSerializer.SerializeToUtf8Bytes(content, RunFileFormat));

    public void Dispose()
    {
        File.Delete(RunFile);
        File.Delete(Below("lock"));
        _lock.Dispose();
    }

    private static readonly JsonSerializerOptions RunFileFormat = new(JsonSerializerDefaults.Web) { WriteIndented = true };
}
