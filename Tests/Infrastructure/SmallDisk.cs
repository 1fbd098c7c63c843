using System.Diagnostics;
using Darkroom.AppHost.Processes;

namespace Darkroom.Tests.Infrastructure;

/// <summary>A file system of a few megabytes, in memory, that a test can fill.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const int Page = 4_096;

    private static readonly Lazy<string?> Refused = new(TryMount);

    private SmallDisk(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>Why this process cannot mount one; null if it can.</summary>
    public static string? Refusal => Refused.Value;

    private string Filler => Path.Combine(Folder, "filler");

    /// <summary>Mounts it in a folder; what that contains is hidden until the end.</summary>
    public static async Task<SmallDisk> MountAsync(string folder, int megabytes)
    {
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0755", "tmpfs", folder);
        return new SmallDisk(folder);
    }

    /// <summary>Leaves no room at all.</summary>
    public void Fill()
    {
        // Unbuffered: each write reaches the disk or fails.
        using var filler = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in (int[])[256 * Page, Page])
            while (TryWrite(filler, size))
            {
            }
    }

    /// <summary>Gives the room back.</summary>
    public void Free() => File.Delete(Filler);

    public async ValueTask DisposeAsync() => await RunAsync("umount", "-l", Folder);

    private static bool TryWrite(FileStream file, int size)
    {
        try
        {
            file.Write(new byte[size]);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string? TryMount()
    {
        const string reason = "Needs Linux and the right to mount a file system.";
        if (!OperatingSystem.IsLinux() || !Unix.IsRoot)
            return reason;
        var folder = Directory.CreateTempSubdirectory("darkroom-mount-").FullName;
        try
        {
            Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder);
            Run("umount", folder);
            return null;
        }
        catch (InvalidOperationException e)
        {
            return $"{reason} {e.Message}";
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    private static void Run(string program, params string[] arguments) => RunAsync(program, arguments).GetAwaiter().GetResult();

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program}: {errors.Trim()}");
    }
}

/// <summary>A test that mounts a file system; skipped with the reason where that is not permitted.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MountFactAttribute : FactAttribute
{
    public MountFactAttribute() => Skip = SmallDisk.Refusal;

    /// <summary>Whether it also needs an installed <c>redis-server</c>.</summary>
    public bool NeedsRedisServer
    {
        get;
        init
        {
            field = value;
            if (value && RedisServerExecutable.Path is null)
                Skip ??= OnRedisServerAttribute.Missing;
        }
    }
}
