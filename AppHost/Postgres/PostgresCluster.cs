using System.Diagnostics;
using System.Globalization;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Processes;

namespace Darkroom.AppHost.Postgres;

/// <summary>A Postgres cluster of this machine, set up and ready to be served.</summary>
/// <param name="Binaries">The programs that fit its data.</param>
/// <param name="Folder">Where it lies, and who runs it.</param>
internal sealed record PostgresCluster(PostgresBinaries Binaries, ServerFolder Folder)
{
    /// <summary>Finds or fetches the programs, and makes the cluster if there is none yet.</summary>
    /// <exception cref="InvalidOperationException">No programs fit, or the set-up failed; the message says what to do.</exception>
    public static async Task<PostgresCluster> PrepareAsync(PostgresClusterOptions options, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.Folder);
        var recorded = ServerFolder.Recorded(options.Folder);
        var folder = recorded ?? ServerFolder.Fresh(options.Folder);
        var binaries = await PostgresBinaries.FindAsync(options, recorded is null ? null : ReadVersion(folder), folder.User, cancellationToken);
        if (recorded is null) await InitializeAsync(options, folder, binaries, cancellationToken);
        else await WaitForPredecessorAsync(options, folder, cancellationToken);
        return new PostgresCluster(binaries, folder);
    }

    /// <summary>The command line of its server, to be run in <see cref="ServerFolder.Home"/>. On Unix SIGINT stops it fast and in order.</summary>
    public (string Command, IReadOnlyList<string> Arguments) ServerOn(int port, PostgresClusterOptions options)
    {
        List<string> settings =
        [
            "listen_addresses=127.0.0.1",
            // Its usual folder may not be ours to write to, and a path in the data folder may be too long for a socket.
            "unix_socket_directories=",
            $"max_connections={options.MaxConnections}",
            "lc_messages=C",
        ];
        if (!options.Durable) settings.AddRange(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
        List<string> arguments =
        [
            "-D", Folder.Data, "-p", port.ToString(CultureInfo.InvariantCulture),
            .. settings.SelectMany(setting => new[] { "-c", setting }),
        ];
        return Folder.User is { } user
            // It replaces itself by the server: the process id stays.
            ? ("setpriv", ["--reuid", user.Name, "--regid", $"{user.Group}", "--init-groups", "--", Binaries.Server, .. arguments])
            : (Binaries.Server, arguments);
    }

    private static async Task InitializeAsync(
        PostgresClusterOptions options, ServerFolder folder, PostgresBinaries binaries, CancellationToken cancellationToken)
    {
        var passwordFile = Path.Combine(folder.Home, "password");
        PrivateFolder.WriteFile(passwordFile, System.Text.Encoding.UTF8.GetBytes(options.Password));
        if (folder.User is { } user && !OperatingSystem.IsWindows()) Unix.GiveTo(user, passwordFile);
        List<string> arguments =
        [
            "-D", folder.Data, "--username=postgres", "--pwfile=" + passwordFile, "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C",
        ];
        if (!options.Durable) arguments.Add("--no-sync");
        var result = await Command.RunAsync(binaries.InitDb, arguments, folder.Home, folder.User, options.Log, cancellationToken);
        File.Delete(passwordFile);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"initdb ended with {result.ExitCode}:{Environment.NewLine}{result.Output}");
        folder.Record(options.Folder);
    }

    private static int ReadVersion(ServerFolder folder) =>
        int.Parse(File.ReadAllText(Path.Combine(folder.Data, "PG_VERSION")).Trim(), CultureInfo.InvariantCulture);

    /// <summary>The server of a host that was killed a moment ago may still be writing its last page.</summary>
    private static async Task WaitForPredecessorAsync(PostgresClusterOptions options, ServerFolder folder, CancellationToken cancellationToken)
    {
        var lockFile = Path.Combine(folder.Data, "postmaster.pid");
        if (!File.Exists(lockFile)) return;
        if (!int.TryParse(File.ReadLines(lockFile).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid)) return;
        try
        {
            using var predecessor = Process.GetProcessById(pid);
            if (!predecessor.ProcessName.StartsWith("postgres", StringComparison.Ordinal)) return;
            options.Progress($"waiting for the server that still runs on this data (process {pid})");
            await predecessor.WaitForExitAsync(cancellationToken).WaitAsync(options.TimeLimit, options.Time, cancellationToken);
        }
        catch (ArgumentException)
        {
            // Gone.
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"Another Postgres server (process {pid}) runs on the data in {folder.Data}. Stop it first.");
        }
    }
}
