namespace Darkroom.AppHost.Postgres;

/// <summary>Where the Postgres binaries come from.</summary>
internal enum PostgresSource
{
    /// <summary>Those installed on the machine, or those from npm if there are none.</summary>
    Auto,

    /// <summary>Only those installed on the machine.</summary>
    Installed,

    /// <summary>Only those from npm, as on a machine without Postgres.</summary>
    Npm,
}

/// <summary>How a local Postgres cluster is set up.</summary>
internal sealed record PostgresClusterOptions
{
    /// <summary>
    /// The folder that contains the cluster. When running as root, if Postgres' user cannot access this folder, the cluster is created in
    /// a system folder and this one records where.
    /// </summary>
    public required string Folder { get; init; }

    /// <summary>Where downloaded binaries are kept. Null: <c>.data/tools</c> in the repository.</summary>
    public string? ToolsFolder { get; init; }

    /// <summary>Where the binaries come from. Default: installed ones if there are any.</summary>
    public PostgresSource Source { get; init; } = PostgresSource.Auto;

    /// <summary>The folder with <c>postgres</c> and <c>initdb</c>, if they are not in one of the usual places.</summary>
    public string? Binaries { get; init; }

    /// <summary>Password of the user <c>postgres</c>; set when the cluster is created.</summary>
    public required string Password { get; init; }

    /// <summary>Connections that the server allows. Default 200: more than the pools of an API and two workers need.</summary>
    public int MaxConnections { get; init; } = 200;

    /// <summary>
    /// False turns off fsync, which is faster but safe only for data that may be lost if the machine crashes, as in tests.
    /// </summary>
    public bool Durable { get; init; } = true;

    /// <summary>Receives the output of setting up the cluster, line by line, on any thread.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>Receives messages for the person waiting, such as that something is being downloaded.</summary>
    public Action<string> Progress { get; init; } = _ => { };

    /// <summary>How long to wait for a server that is still running on the data to stop. Default 60 s.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The clock for these waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
