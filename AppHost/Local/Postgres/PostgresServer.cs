using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Local.Processes;
using Npgsql;

namespace Darkroom.AppHost.Local.Postgres;

/// <summary>A Postgres server of our own: found or fetched, set up, started, and ended with us.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const int PortAttempts = 5;

    private readonly ChildProcess _process;
    private readonly PostgresServerOptions _options;

    private PostgresServer(ChildProcess process, PostgresServerOptions options, ServerFolder folder, PostgresBinaries binaries, int port)
    {
        _process = process;
        _options = options;
        Port = port;
        Home = folder.Home;
        Version = binaries.Version;
        ConnectionString = ConnectionStringFor(options, port);
    }

    /// <summary>Of its superuser, to the database <c>postgres</c>.</summary>
    public string ConnectionString { get; }

    /// <summary>On 127.0.0.1.</summary>
    public int Port { get; }

    public int ProcessId => _process.Id;

    /// <summary>Major version.</summary>
    public int Version { get; }

    /// <summary>Where its data lies: in the folder given, or, if we are root, where its user can reach it.</summary>
    public string Home { get; }

    /// <summary>Completes with the exit code, when it ends for whatever reason.</summary>
    public Task<int> Exited => _process.Exited;

    /// <summary>Returns when the server answers.</summary>
    public static async Task<PostgresServer> StartAsync(PostgresServerOptions options, CancellationToken cancellation)
    {
        Directory.CreateDirectory(options.Folder);
        var recorded = ServerFolder.Recorded(options.Folder);
        var folder = recorded ?? ServerFolder.Fresh(options.Folder);
        var binaries = await PostgresBinaries.FindAsync(options, recorded is null ? null : ReadVersion(folder), folder.User, cancellation);
        if (recorded is null) await InitializeAsync(options, folder, binaries, cancellation);
        else await WaitForPredecessorAsync(options, folder, cancellation);

        for (var attempt = 1; ; attempt++)
        {
            var port = options.Port > 0 ? options.Port : FreePort.Find();
            try
            {
                return await StartAsync(options, folder, binaries, port, cancellation);
            }
            catch (PortTakenException) when (options.Port == 0 && attempt < PortAttempts)
            {
                // Someone took it between our look and the server's.
            }
        }
    }

    /// <summary>Ends all sessions, writes everything down, and stops.</summary>
    public async Task StopAsync()
    {
        // SIGINT is Postgres' fast shutdown: it does not wait for clients to leave.
        await _process.StopAsync(Signals.Interrupt, _options.TimeLimit, _options.Time);
        // Pooled connections to it are dead.
        NpgsqlConnection.ClearPool(new NpgsqlConnection(ConnectionString));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }

    private static async Task<PostgresServer> StartAsync(
        PostgresServerOptions options, ServerFolder folder, PostgresBinaries binaries, int port, CancellationToken cancellation)
    {
        var log = new LastLines(options.Log);
        var process = await ChildProcess.StartAsync(new LaunchRequest(binaries.Server, ServerArguments(options, folder, port))
        {
            WorkingDirectory = folder.Home,
            User = folder.User?.Name,
            SignalOnParentDeath = Signals.Interrupt,
            Output = log.Add,
        });
        try
        {
            await WaitUntilReadyAsync(process, options, port, cancellation);
            return new PostgresServer(process, options, folder, binaries, port);
        }
        catch (Exception e)
        {
            process.Kill();
            await process.Exited;
            process.Dispose();
            if (e is OperationCanceledException) throw;
            var said = log.ToString();
            if (said.Contains("could not bind", StringComparison.Ordinal))
                throw new PortTakenException($"Port {port} is in use: Postgres cannot listen there. Set another one (Ports:Postgres; 0: any).");
            throw new InvalidOperationException($"Postgres did not start: {e.Message}{Environment.NewLine}{said}", e);
        }
    }

    private static IReadOnlyList<string> ServerArguments(PostgresServerOptions options, ServerFolder folder, int port)
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
        return
        [
            "-D", folder.Data, "-p", port.ToString(CultureInfo.InvariantCulture),
            .. settings.SelectMany(setting => new[] { "-c", setting }),
        ];
    }

    private static async Task InitializeAsync(
        PostgresServerOptions options, ServerFolder folder, PostgresBinaries binaries, CancellationToken cancellation)
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
        var result = await Command.RunAsync(new LaunchRequest(binaries.InitDb, arguments)
        {
            WorkingDirectory = folder.Home,
            User = folder.User?.Name,
            Output = _ => { },
        }, cancellation);
        File.Delete(passwordFile);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"initdb ended with {result.ExitCode}:{Environment.NewLine}{result.Output}");
        folder.Record(options.Folder);
    }

    private static int ReadVersion(ServerFolder folder) =>
        int.Parse(File.ReadAllText(Path.Combine(folder.Data, "PG_VERSION")).Trim(), CultureInfo.InvariantCulture);

    /// <summary>The server of a host that was killed a moment ago may still be writing its last page.</summary>
    private static async Task WaitForPredecessorAsync(PostgresServerOptions options, ServerFolder folder, CancellationToken cancellation)
    {
        var lockFile = Path.Combine(folder.Data, "postmaster.pid");
        if (!File.Exists(lockFile)) return;
        if (!int.TryParse(File.ReadLines(lockFile).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid)) return;
        try
        {
            using var predecessor = Process.GetProcessById(pid);
            if (!predecessor.ProcessName.StartsWith("postgres", StringComparison.Ordinal)) return;
            await predecessor.WaitForExitAsync(cancellation).WaitAsync(options.TimeLimit, options.Time, cancellation);
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

    private static async Task WaitUntilReadyAsync(
        ChildProcess process, PostgresServerOptions options, int port, CancellationToken cancellation)
    {
        var started = options.Time.GetTimestamp();
        var connectionString = new NpgsqlConnectionStringBuilder(ConnectionStringFor(options, port)) { Pooling = false, Timeout = 5 }.ConnectionString;
        while (true)
        {
            if (process.Exited.IsCompleted) throw new InvalidOperationException($"it ended with {await process.Exited}.");
            try
            {
                await using var connection = new NpgsqlConnection(connectionString);
                await connection.OpenAsync(cancellation);
                return;
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification)
            {
                throw new InvalidOperationException(
                    $"the password kept for it no longer fits its data ({e.MessageText}). Delete {options.Folder} to start anew.", e);
            }
            catch (NpgsqlException e)
            {
                if (options.Time.GetElapsedTime(started) > options.TimeLimit)
                    throw new TimeoutException($"it did not answer within {options.TimeLimit.TotalSeconds:0} s.", e);
            }

            await Task.WhenAny(process.Exited, Task.Delay(TimeSpan.FromMilliseconds(50), options.Time, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private static string ConnectionStringFor(PostgresServerOptions options, int port) =>
        $"Host=127.0.0.1;Port={port};Username=postgres;Password={options.Password};Database=postgres";
}
