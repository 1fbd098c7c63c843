using System.Globalization;
using System.Text.RegularExpressions;
using Darkroom.AppHost.Processes;

namespace Darkroom.AppHost.Postgres;

/// <summary>A folder with Postgres' programs, and their major version.</summary>
internal sealed partial record PostgresBinaries(string Folder, int Version)
{
    /// <summary>The oldest release that its makers still supported when this was written.</summary>
    public const int OldestVersion = 14;

    public string Server => Program("postgres");
    public string InitDb => Program("initdb");

    private string Program(string name) => Path.Combine(Folder, OperatingSystem.IsWindows() ? name + ".exe" : name);

    /// <summary>
    /// The programs to run a cluster of the given version (null: a new one) with: the machine's, newest first, else npm's.
    /// </summary>
    public static async Task<PostgresBinaries> FindAsync(
        PostgresClusterOptions options, int? clusterVersion, UnixUser? user, CancellationToken cancellationToken)
    {
        if (options.Binaries is { Length: > 0 } given)
        {
            return await ReadAsync(given, cancellationToken) is { } found && Fits(found)
                ? found
                : throw new InvalidOperationException(
                    $"The folder {given} (setting Postgres:Binaries) has no programs postgres and initdb of " +
                    (clusterVersion is { } v ? $"version {v}, which made the data." : $"version {OldestVersion} or later."));
        }

        if (options.Source != PostgresSource.Npm)
        {
            var installed = new List<PostgresBinaries>();
            foreach (var folder in InstalledFolders())
                if (await ReadAsync(folder, cancellationToken) is { } found && Fits(found)) installed.Add(found);
            if (installed.MaxBy(found => found.Version) is { } newest) return newest;
            if (options.Source == PostgresSource.Installed)
                throw new InvalidOperationException(
                    $"No Postgres {clusterVersion?.ToString(CultureInfo.InvariantCulture) ?? $"{OldestVersion} or later"} is installed here. " +
                    "Install one, name its folder in Postgres:Binaries, or give ConnectionStrings__darkroom.");
        }

        var fetched = await ReadAsync(await NpmPostgres.InstallAsync(options, user, cancellationToken), cancellationToken);
        return fetched is not null && Fits(fetched)
            ? fetched
            : throw new InvalidOperationException(
                $"The data in {options.Folder} was made by Postgres {clusterVersion}, which is no longer on this machine. " +
                "Install that version again, or delete the folder to start anew.");

        bool Fits(PostgresBinaries found) => clusterVersion is { } version ? found.Version == version : found.Version >= OldestVersion;
    }

    private static IEnumerable<string> InstalledFolders()
    {
        var path = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];
        var home = Environment.GetEnvironmentVariable("HOME") ?? "";
        string[] usual = OperatingSystem.IsWindows()
            ? [.. Below(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "PostgreSQL", "*", "bin")]
            : OperatingSystem.IsMacOS()
                ?
                [
                    .. Below("/opt/homebrew/opt", "postgresql*", "bin"),
                    .. Below("/usr/local/opt", "postgresql*", "bin"),
                    .. Below("/Applications/Postgres.app/Contents/Versions", "*", "bin"),
                    .. Below("/Library/PostgreSQL", "*", "bin"),
                ]
                :
                [
                    .. Below("/usr/lib/postgresql", "*", "bin"),
                    .. Below("/usr", "pgsql-*", "bin"),
                    .. Below("/opt/postgresql", "*", "bin"),
                    .. Below("/home/linuxbrew/.linuxbrew/opt", "postgresql*", "bin"),
                    .. Below(Path.Combine(home, ".linuxbrew/opt"), "postgresql*", "bin"),
                    "/usr/local/pgsql/bin",
                ];
        // A link in a folder of links is not where the programs look for their libraries and templates: follow it.
        return path.Concat(usual).Select(Resolve).OfType<string>().Distinct();
    }

    private static IEnumerable<string> Below(string folder, params string[] patterns)
    {
        if (!Directory.Exists(folder)) return [];
        if (patterns is []) return [folder];
        try
        {
            return Directory.EnumerateDirectories(folder, patterns[0]).SelectMany(next => Below(next, patterns[1..]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? Resolve(string folder)
    {
        var program = new FileInfo(Path.Combine(folder, OperatingSystem.IsWindows() ? "initdb.exe" : "initdb"));
        try
        {
            if (!program.Exists) return null;
            var target = program.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? program.FullName;
            return Path.GetDirectoryName(target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static async Task<PostgresBinaries?> ReadAsync(string folder, CancellationToken cancellationToken)
    {
        var binaries = new PostgresBinaries(folder, 0);
        if (!File.Exists(binaries.Server) || !File.Exists(binaries.InitDb)) return null;
        var result = await Command.RunAsync(binaries.Server, ["--version"], Path.GetTempPath(), user: null, _ => { }, cancellationToken);
        return result.ExitCode == 0 && VersionNumber().Match(result.Output) is { Success: true } match
            ? binaries with { Version = int.Parse(match.ValueSpan, CultureInfo.InvariantCulture) }
            : null;
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex VersionNumber();
}
