using System.Diagnostics;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Postgres;
using Darkroom.AppHost.Processes;
using Npgsql;

namespace Darkroom.Tests.Infrastructure;

/// <summary>A Postgres server that this process starts by itself, over a cluster as the AppHost makes it.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const int PortAttempts = 5;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly LastWill _will;

    private PostgresServer(Process process, LastWill will, PostgresClusterOptions options, PostgresCluster cluster, int port)
    {
        _process = process;
        _will = will;
        Port = port;
        Home = cluster.Folder.Home;
        Version = cluster.Binaries.Version;
        ConnectionString = ConnectionStringFor(options, port);
    }

    /// <summary>Of its superuser, to the database <c>postgres</c>.</summary>
    public string ConnectionString { get; }

    /// <summary>On 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Major version.</summary>
    public int Version { get; }

    /// <summary>Where its data lies: in the folder given, or, if we are root, where its user can reach it.</summary>
    public string Home { get; }

    /// <summary>Returns when the server answers.</summary>
    /// <param name="port">0: any free one.</param>
    /// <param name="leaveNothing">Its folders go with it, should this process die without stopping it.</param>
    public static async Task<PostgresServer> StartAsync(PostgresClusterOptions options, int port = 0, bool leaveNothing = false)
    {
        var cluster = await PostgresCluster.PrepareAsync(options, CancellationToken.None);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await StartAsync(options, cluster, port > 0 ? port : FreePort.Find(), leaveNothing);
            }
            catch (InvalidOperationException e) when (
                port == 0 && attempt < PortAttempts && e.Message.Contains("could not bind", StringComparison.Ordinal))
            {
                // Someone took it between our look and the server's.
            }
        }
    }

    /// <summary>Ends all sessions, writes everything down, and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        if (OperatingSystem.IsWindows()) _process.Kill(entireProcessTree: true);
        else Unix.Signal(_process.Id, Unix.Interrupt);
        await _process.WaitForExitAsync().WaitAsync(StartLimit);
        _will.Dispose();
        _process.Dispose();
        // Pooled connections to it are dead.
        NpgsqlConnection.ClearPool(new NpgsqlConnection(ConnectionString));
    }

    private static async Task<PostgresServer> StartAsync(PostgresClusterOptions options, PostgresCluster cluster, int port, bool leaveNothing)
    {
        var (file, arguments) = cluster.ServerOn(port, options);
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
                if (log.Count > 30) log.Dequeue();
            }
        };
        process.Start();
        process.BeginErrorReadLine();
        var will = LastWill.Kill(process.Id, "QUIT", leaveNothing ? [cluster.Folder.Home, options.Folder] : []);
        try
        {
            await WaitUntilReadyAsync(process, options, port);
            return new PostgresServer(process, will, options, cluster, port);
        }
        catch (Exception e)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            will.Dispose();
            process.Dispose();
            lock (log) throw new InvalidOperationException($"Postgres did not start: {e.Message}{Environment.NewLine}{string.Join(Environment.NewLine, log)}", e);
        }
    }

    private static async Task WaitUntilReadyAsync(Process process, PostgresClusterOptions options, int port)
    {
        var connectionString = new NpgsqlConnectionStringBuilder(ConnectionStringFor(options, port)) { Pooling = false, Timeout = 5 }.ConnectionString;
        var started = options.Time.GetTimestamp();
        while (true)
        {
            if (process.HasExited) throw new InvalidOperationException($"it ended with {process.ExitCode}.");
            try
            {
                await using var connection = new NpgsqlConnection(connectionString);
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (options.Time.GetElapsedTime(started) < StartLimit)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), options.Time, CancellationToken.None);
            }
        }
    }

    private static string ConnectionStringFor(PostgresClusterOptions options, int port) =>
        $"Host=127.0.0.1;Port={port};Username=postgres;Password={options.Password};Database=postgres";
}
