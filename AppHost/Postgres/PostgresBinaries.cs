using System.Globalization;
using System.Text.RegularExpressions;
using Darkroom.AppHost.Processes;

namespace Darkroom.AppHost.Postgres;

/// <summary>A folder with the Postgres programs, and their major version.</summary>
internal sealed partial record PostgresBinaries(string Folder, int Version)
{
    /// <summary>The oldest release still supported by the PostgreSQL project at the time of writing.</summary>
    public const int OldestVersion = 14;

    public string Server => Program("postgres");
    public string InitDb => Program("initdb");

    private string Program(string name) => Path.Combine(Folder, OperatingSystem.IsWindows() ? name + ".exe" : name);

    /// <summary>
    /// Finds the programs for a cluster of the given version, or for a new cluster if null: the newest installed ones, otherwise those from npm.
    /// </summary>
    public static async Task<PostgresBinaries> FindAsync(
        PostgresClusterOptions options, int? clusterVersion, UnixUser? user, CancellationToken cancellationToken)
    {
        if (options.Binaries is { Length: > 0 } configured)
        {
            return await ReadAsync(configured, cancellationToken) is { } found && IsUsable(found)
                ? found
                : throw new InvalidOperationException(
                    $"The folder {configured} (setting Postgres:Binaries) does not contain the programs postgres and initdb of " +
                    (clusterVersion is { } v ? $"version {v}, which created the data." : $"version {OldestVersion} or later."));
        }

        if (options.Source != PostgresSource.Npm)
        {
            var installed = new List<PostgresBinaries>();
            foreach (var folder in InstalledFolders())
                if (await ReadAsync(folder, cancellationToken) is { } found && IsUsable(found))
                    installed.Add(found);
            if (installed.MaxBy(found => found.Version) is { } newest)
                return newest;
            if (options.Source == PostgresSource.Installed)
                throw new InvalidOperationException(
                    $"No Postgres {clusterVersion?.ToString(CultureInfo.InvariantCulture) ?? $"{OldestVersion} or later"} is installed. " +
                    "Install it, set Postgres:Binaries to its folder, or set ConnectionStrings__darkroom.");
        }

        var fetched = await ReadAsync(await NpmPostgres.InstallAsync(options, user, cancellationToken), cancellationToken);
        return fetched is not null && IsUsable(fetched)
            ? fetched
            : throw new InvalidOperationException(
                $"The data in {options.Folder} was created by Postgres {clusterVersion}, which is no longer installed. " +
                "Install that version again, or delete the folder to start over.");

        bool IsUsable(PostgresBinaries found) => clusterVersion is { } version ? found.Version == version : found.Version >= OldestVersion;
    }

    private static IEnumerable<string> InstalledFolders()
    {
        var path = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];
        var home = Environment.GetEnvironmentVariable("HOME") ?? "";
        string[] defaultFolders = OperatingSystem.IsWindows()
            ? [.. FindFolders(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "PostgreSQL", "*", "bin")]
            : OperatingSystem.IsMacOS()
                ?
                [
                    .. FindFolders("/opt/homebrew/opt", "postgresql*", "bin"),
                    .. FindFolders("/usr/local/opt", "postgresql*", "bin"),
                    .. FindFolders("/Applications/Postgres.app/Contents/Versions", "*", "bin"),
                    .. FindFolders("/Library/PostgreSQL", "*", "bin"),
                ]
                :
                [
                    .. FindFolders("/usr/lib/postgresql", "*", "bin"),
                    .. FindFolders("/usr", "pgsql-*", "bin"),
                    .. FindFolders("/opt/postgresql", "*", "bin"),
                    .. FindFolders("/home/linuxbrew/.linuxbrew/opt", "postgresql*", "bin"),
                    .. FindFolders(Path.Combine(home, ".linuxbrew/opt"), "postgresql*", "bin"),
                    "/usr/local/pgsql/bin",
                ];
        // Follow symbolic links: the programs look for their libraries and templates relative to their real location.
        return path.Concat(defaultFolders).Select(Resolve).OfType<string>().Distinct();
    }

    private static IEnumerable<string> FindFolders(string folder, params string[] patterns)
    {
        if (!Directory.Exists(folder))
            return [];
        if (patterns is [])
            return [folder];
        try
        {
            return Directory.EnumerateDirectories(folder, patterns[0]).SelectMany(next => FindFolders(next, patterns[1..]));
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
            if (!program.Exists)
                return null;
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
        if (!File.Exists(binaries.Server) || !File.Exists(binaries.InitDb))
            return null;
        var result = await Command.RunAsync(binaries.Server, ["--version"], Path.GetTempPath(), user: null, _ => { }, cancellationToken);
        return result.ExitCode == 0 && VersionNumber().Match(result.Output) is { Success: true } match
            ? binaries with { Version = int.Parse(match.ValueSpan, CultureInfo.InvariantCulture) }
            : null;
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex VersionNumber();
}
