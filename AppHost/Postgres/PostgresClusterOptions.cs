namespace Darkroom.AppHost.Postgres;

/// <summary>Where Postgres' programs come from.</summary>
internal enum PostgresSource
{
    /// <summary>Those of the machine where there are any, else those of npm.</summary>
    Auto,

    /// <summary>Only those of the machine.</summary>
    Installed,

    /// <summary>Only those of npm, as on a machine without Postgres.</summary>
    Npm,
}

/// <summary>How a Postgres cluster of ours is set up.</summary>
internal sealed record PostgresClusterOptions
{
    /// <summary>
    /// A folder of ours; the cluster lies below. If we are root and Postgres' user cannot reach it, the cluster lies in a system
    /// folder and this one keeps a pointer.
    /// </summary>
    public required string Folder { get; init; }

    /// <summary>Where downloaded programs are kept; null: <c>.data/tools</c> of the repository.</summary>
    public string? ToolsFolder { get; init; }

    /// <summary>Where its programs come from.</summary>
    public PostgresSource Source { get; init; } = PostgresSource.Auto;

    /// <summary>The folder with <c>postgres</c> and <c>initdb</c>, where the usual places do not do.</summary>
    public string? Binaries { get; init; }

    /// <summary>Password of the user <c>postgres</c>; set when the cluster is made.</summary>
    public required string Password { get; init; }

    /// <summary>Connections the server allows. Two workers and an API with their pools need fewer than the default.</summary>
    public int MaxConnections { get; init; } = 200;

    /// <summary>False: no fsync. Faster, and fit only for data that may be lost with the machine: tests.</summary>
    public bool Durable { get; init; } = true;

    /// <summary>Receives what is said while the cluster is set up, line by line, from any thread.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>Receives what a person who waits should know: that something is fetched, or waited for.</summary>
    public Action<string> Progress { get; init; } = _ => { };

    /// <summary>How long a server that still runs on the data may take to end.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Clock of the waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
