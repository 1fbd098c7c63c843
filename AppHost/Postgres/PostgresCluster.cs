using System.Diagnostics;
using System.Globalization;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Processes;

namespace Darkroom.AppHost.Postgres;

/// <summary>An initialized local Postgres cluster, ready to start.</summary>
/// <param name="Binaries">The programs that match the version of its data.</param>
/// <param name="Folder">Where its data is, and which user runs the server.</param>
internal sealed record PostgresCluster(PostgresBinaries Binaries, ServerFolder Folder)
{
    /// <summary>Finds or downloads the programs, and initializes the cluster if it does not exist yet.</summary>
    /// <exception cref="InvalidOperationException">No suitable programs were found, or initialization failed; the message says what to do.</exception>
    public static async Task<PostgresCluster> PrepareAsync(PostgresClusterOptions options, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.Folder);
        var existing = ServerFolder.TryLoad(options.Folder);
        var folder = existing ?? ServerFolder.CreateNew(options.Folder);
        var binaries = await PostgresBinaries.FindAsync(options, existing is null ? null : ReadVersion(folder), folder.User, cancellationToken);
        if (existing is null)
            await InitializeAsync(options, folder, binaries, cancellationToken);
        else
            await WaitForPreviousServerAsync(options, folder, cancellationToken);
        return new PostgresCluster(binaries, folder);
    }

    /// <summary>The server's command line, to be run in <see cref="ServerFolder.Home"/>. On Unix, SIGINT triggers Postgres' fast shutdown.</summary>
    public (string Command, IReadOnlyList<string> Arguments) ServerCommand(int port, PostgresClusterOptions options)
    {
        List<string> settings =
        [
            "listen_addresses=127.0.0.1",
            // No Unix socket: the default folder may not be writable, and a path in the data folder may be too long.
            "unix_socket_directories=",
            $"max_connections={options.MaxConnections}",
            "lc_messages=C",
        ];
        if (!options.Durable)
            settings.AddRange(["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=256MB"]);
        List<string> arguments =
        [
            "-D", Folder.Data, "-p", port.ToString(CultureInfo.InvariantCulture),
            .. settings.SelectMany(setting => new[] { "-c", setting }),
        ];
        return Folder.User is { } user
            // setpriv replaces itself with the server, so the process id stays the same.
            ? ("setpriv", ["--reuid", user.Name, "--regid", $"{user.Group}", "--init-groups", "--", Binaries.Server, .. arguments])
            : (Binaries.Server, arguments);
    }

    private static async Task InitializeAsync(
        PostgresClusterOptions options, ServerFolder folder, PostgresBinaries binaries, CancellationToken cancellationToken)
    {
        var passwordFile = Path.Combine(folder.Home, "password");
        PrivateFolder.WriteFile(passwordFile, System.Text.Encoding.UTF8.GetBytes(options.Password));
        if (folder.User is { } user && !OperatingSystem.IsWindows())
            Unix.SetOwner(passwordFile, user);
        List<string> arguments =
        [
            "-D", folder.Data, "--username=postgres", "--pwfile=" + passwordFile, "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C",
        ];
        if (!options.Durable)
            arguments.Add("--no-sync");
        var result = await Command.RunAsync(binaries.InitDb, arguments, folder.Home, folder.User, options.Log, cancellationToken);
        File.Delete(passwordFile);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"initdb exited with code {result.ExitCode}:{Environment.NewLine}{result.Output}");
        folder.Save(options.Folder);
    }

    private static int ReadVersion(ServerFolder folder) =>
        int.Parse(File.ReadAllText(Path.Combine(folder.Data, "PG_VERSION")).Trim(), CultureInfo.InvariantCulture);

    /// <summary>If the last host was just killed, its server may still be shutting down.</summary>
    private static async Task WaitForPreviousServerAsync(PostgresClusterOptions options, ServerFolder folder, CancellationToken cancellationToken)
    {
        var lockFile = Path.Combine(folder.Data, "postmaster.pid");
        if (!File.Exists(lockFile))
            return;
        if (!int.TryParse(File.ReadLines(lockFile).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid))
            return;
        try
        {
            using var previous = Process.GetProcessById(pid);
            if (!previous.ProcessName.StartsWith("postgres", StringComparison.Ordinal))
                return;
            options.Progress($"waiting for the previous server on this data to exit (process {pid})");
            await previous.WaitForExitAsync(cancellationToken).WaitAsync(options.TimeLimit, options.Time, cancellationToken);
        }
        catch (ArgumentException)
        {
            // Already exited.
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"Another Postgres server (process {pid}) is using the data in {folder.Data}. Stop it first.");
        }
    }
}
