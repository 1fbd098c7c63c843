using System.Diagnostics;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Postgres;
using Darkroom.AppHost.Processes;
using Npgsql;

namespace Darkroom.Tests.Infrastructure;

/// <summary>A Postgres server started directly by this process, on a cluster initialized as in the AppHost.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const int PortAttempts = 5;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ChildWatchdog _watchdog;

    private PostgresServer(Process process, ChildWatchdog watchdog, PostgresClusterOptions options, PostgresCluster cluster, int port)
    {
        _process = process;
        _watchdog = watchdog;
        Port = port;
        Home = cluster.Folder.Home;
        Version = cluster.Binaries.Version;
        ConnectionString = ConnectionStringFor(options, port);
    }

    /// <summary>Connects as superuser to the database <c>postgres</c>.</summary>
    public string ConnectionString { get; }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Major version.</summary>
    public int Version { get; }

    /// <summary>Where its data is: in the given folder, or, when running as root, where the server's user has access.</summary>
    public string Home { get; }

    public bool HasExited => _process.HasExited;

    /// <summary>Starts the server and waits until it accepts connections.</summary>
    /// <param name="port">0 picks a free port.</param>
    /// <param name="deleteFoldersOnExit">Whether to delete its folders if this process ends without stopping it.</param>
    public static async Task<PostgresServer> StartAsync(PostgresClusterOptions options, int port = 0, bool deleteFoldersOnExit = false)
    {
        var cluster = await PostgresCluster.PrepareAsync(options, CancellationToken.None);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await StartAsync(options, cluster, port > 0 ? port : FreePort.Find(), deleteFoldersOnExit);
            }
            catch (InvalidOperationException e) when (
                port == 0 && attempt < PortAttempts && e.Message.Contains("could not bind", StringComparison.Ordinal))
            {
                // Another process took the port between our check and the server's bind.
            }
        }
    }

    /// <summary>Stops the server: ends all sessions and flushes its data.</summary>
    public async ValueTask DisposeAsync()
    {
        if (OperatingSystem.IsWindows())
            _process.Kill(entireProcessTree: true);
        else if (!HasExited)
            Unix.Signal(_process.Id, Unix.Interrupt);
        await _process.WaitForExitAsync().WaitAsync(Timeout);
        _watchdog.Dispose();
        _process.Dispose();
        // The pool's connections to it are now dead.
        NpgsqlConnection.ClearPool(new NpgsqlConnection(ConnectionString));
    }

    private static async Task<PostgresServer> StartAsync(PostgresClusterOptions options, PostgresCluster cluster, int port, bool deleteFoldersOnExit)
    {
        var (file, arguments) = cluster.ServerCommand(port, options);
        var log = new Queue<string>();
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(file, arguments)
            {
                WorkingDirectory = cluster.Folder.Home,
                RedirectStandardError = true,
            },
        };
        process.ErrorDataReceived += (_, line) =>
        {
            lock (log)
            {
                log.Enqueue(line.Data ?? "");
                if (log.Count > 30)
                    log.Dequeue();
            }
        };
        process.Start();
        process.BeginErrorReadLine();
        var watchdog = ChildWatchdog.Start(process.Id, "QUIT", deleteFoldersOnExit ? [cluster.Folder.Home, options.Folder] : []);
        try
        {
            await WaitUntilReadyAsync(process, options, port);
            return new PostgresServer(process, watchdog, options, cluster, port);
        }
        catch (Exception e)
        {
            if (!process.HasExited)
                process.Kill();
            await process.WaitForExitAsync();
            watchdog.Dispose();
            process.Dispose();
            lock (log)
                throw new InvalidOperationException($"Postgres did not start: {e.Message}{Environment.NewLine}{string.Join(Environment.NewLine, log)}", e);
        }
    }

    private static async Task WaitUntilReadyAsync(Process process, PostgresClusterOptions options, int port)
    {
        var connectionString = new NpgsqlConnectionStringBuilder(ConnectionStringFor(options, port)) { Pooling = false, Timeout = 5 }.ConnectionString;
        var started = options.Time.GetTimestamp();
        while (true)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"it exited with code {process.ExitCode}.");
            try
            {
                await using var connection = new NpgsqlConnection(connectionString);
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (options.Time.GetElapsedTime(started) < Timeout)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), options.Time, CancellationToken.None);
            }
        }
    }

    private static string ConnectionStringFor(PostgresClusterOptions options, int port) =>
        $"Host=127.0.0.1;Port={port};Username=postgres;Password={options.Password};Database=postgres";
}
