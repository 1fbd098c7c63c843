using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// Everything that a development installation keeps: <c>.data</c> at the root of the repository, or the folder given by <c>--data</c>
/// or <c>DARKROOM_DATA</c>. Locked by one host at a time; delete it to start over.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream lockFile)
    {
        Path = path;
        _lock = lockFile;
        Secrets = Secrets.ReadOrCreate(System.IO.Path.Combine(path, "secrets.json"));
    }

    public string Path { get; }

    public Secrets Secrets { get; }

    /// <summary>Addresses, keys and process ids for scripts and tests; exists while the host is running and everything is healthy.</summary>
    public string RunFile => PathTo("run.json");

    public string PathTo(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Creates the folder if needed and locks it.</summary>
    /// <exception cref="SettingException">It cannot be used as a folder, or another host is using it; the message names its process.</exception>
    public static DataFolder Open(IConfiguration configuration)
    {
        var configured = configuration["data"] ?? configuration["DARKROOM_DATA"];
        var path = configured is { Length: > 0 } ? System.IO.Path.GetFullPath(configured) : System.IO.Path.Combine(Repository.Root, ".data");
        Create(path);
        var lockFile = Lock(path);
        // Left behind by a host that was killed: it describes processes that no longer exist.
        File.Delete(System.IO.Path.Combine(path, "run.json"));
        return new DataFolder(path, lockFile);
    }

    private static void Create(string path)
    {
        if (File.Exists(path))
            throw new SettingException($"The data folder {path} is a file. Choose a folder: --data <folder>.");
        try
        {
            PrivateFolder.Create(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"The data folder {path} cannot be created. Choose another: --data <folder>. {e.Message}");
        }
    }

    /// <summary>
    /// Locks one file through the operating system, so the lock cannot outlive its process; a second file holds the process id and
    /// stays readable.
    /// </summary>
    private static FileStream Lock(string path)
    {
        var pidFile = System.IO.Path.Combine(path, "lock");
        try
        {
            var lockFile = new FileStream(pidFile + ".held", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            PrivateFolder.WriteFile(pidFile, Encoding.UTF8.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            return lockFile;
        }
        catch (IOException)
        {
            var pid = File.Exists(pidFile) ? File.ReadAllText(pidFile).Trim() : "unknown";
            throw new SettingException(
                $"Another AppHost (process {pid}) uses {path}. Stop it first, or start this one with its own folder: --data <folder>.");
        }
    }

    public void WriteRunFile(object content) =>
        PrivateFolder.WriteFile(RunFile, JsonSerializer.SerializeToUtf8Bytes(content, RunFileFormat));

    public void Dispose()
    {
        File.Delete(RunFile);
        File.Delete(PathTo("lock"));
        _lock.Dispose();
    }

    private static readonly JsonSerializerOptions RunFileFormat = new(JsonSerializerDefaults.Web) { WriteIndented = true };
}

/// <summary>Folders and files with keys and data, which only their owner can access.</summary>
internal static class PrivateFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static string Create(string path)
    {
        Directory.CreateDirectory(path);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, OwnerOnly);
        return path;
    }

    /// <summary>Atomically writes a file that only its owner can read.</summary>
    public static void WriteFile(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(temporary, options))
            file.Write(content);
        File.Move(temporary, path, overwrite: true);
    }
}
