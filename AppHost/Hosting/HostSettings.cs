using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Darkroom.AppHost.Postgres;
using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// The settings of this host. Each can be given as <c>--Ports:Api=6080</c>, or as <c>Ports__Api=6080</c> in the environment.
/// <c>--help</c> lists them.
/// </summary>
internal sealed class HostSettings
{
    /// <summary>Name, default and meaning of each.</summary>
    public static readonly IReadOnlyList<(string Name, string Default, string Meaning)> All =
    [
        ("data", ".data", "folder of everything that is kept; DARKROOM_DATA in the environment"),
        ("environment", "Development", "other environments have no development key and reach no source on this machine"),
        ("Ports:Api", "5080", "of page and API; 0 takes any free one, here and below"),
        ("Ports:S3", "5081", "of the S3 endpoint"),
        ("Ports:Samples", "5082", "of the sample photos"),
        ("Ports:Dashboard", "5083", "of the Aspire dashboard"),
        ("Ports:Postgres", "0", "of the Postgres server"),
        ("Workers", "2", "worker processes, 1 to 64"),
        ("Dashboard", "true", "false: no dashboard"),
        ("Containers", "false", "true: Postgres, Redis and S3 in containers; needs Docker or Podman"),
        ("Postgres:Source", "Auto", "Installed: only programs of this machine; Npm: only those of npm; Auto: the first, else the second"),
        ("Postgres:Binaries", "none", "folder with the programs postgres and initdb"),
        ("ConnectionStrings:darkroom", "none", "a Postgres server to use instead, 15 or later"),
        ("ConnectionStrings:redis", "none", "a Redis server to use instead, 7 or later"),
        ("ConnectionStrings:s3", "none", "an S3 bucket to use instead: Endpoint=..;Region=..;Bucket=..;ForcePathStyle=..;AccessKey=..;SecretKey=.."),
    ];

    /// <summary>
    /// Of the API and the page, default 5080. Fixed, because links to the API stand in stored CSVs and must work after a restart.
    /// </summary>
    public required int ApiPort { get; init; }

    /// <summary>Of the embedded S3 endpoint, default 5081. Fixed for the same reason.</summary>
    public required int S3Port { get; init; }

    /// <summary>Of the sample photos, default 5082. Fixed, because products.csv names it.</summary>
    public required int SamplesPort { get; init; }

    /// <summary>Of the dashboard, default 5083. Fixed, so that a bookmark keeps working. Null: there is none.</summary>
    public required int? DashboardPort { get; init; }

    /// <summary>Of the embedded Postgres server. Null, the default: any free one, for nobody but the services needs to know it.</summary>
    public required int? PostgresPort { get; init; }

    /// <summary>Worker processes, 1 to 64, default 2: enough to see that no process is special.</summary>
    public required int Workers { get; init; }

    /// <summary>Where Postgres' programs come from.</summary>
    public required PostgresSource PostgresSource { get; init; }

    /// <summary>The folder of Postgres' programs; null: the usual places.</summary>
    public required string? PostgresBinaries { get; init; }

    public string ApiUrl => UrlOf(ApiPort);
    public string S3Url => UrlOf(S3Port);
    public string SamplesUrl => UrlOf(SamplesPort);
    public string? DashboardUrl => DashboardPort is { } port ? UrlOf(port) : null;

    /// <summary>Reads and checks them all.</summary>
    /// <exception cref="SettingException">A value is not one, or a port is in use.</exception>
    public static HostSettings Read(IConfiguration configuration, bool hasDashboard)
    {
        RefuseUnknownPorts(configuration);
        return new()
        {
            ApiPort = Port(configuration, "Api", 5080),
            S3Port = Port(configuration, "S3", 5081),
            SamplesPort = Port(configuration, "Samples", 5082),
            DashboardPort = hasDashboard ? Port(configuration, "Dashboard", 5083) : null,
            PostgresPort = Port(configuration, "Postgres", 0),
            Workers = WorkerCount(configuration),
            PostgresSource = Source(configuration),
            PostgresBinaries = configuration["Postgres:Binaries"],
        };
    }

    public static bool WantsDashboard(IConfiguration configuration) => Flag(configuration, "Dashboard", standard: true);

    public static bool WantsContainers(IConfiguration configuration) => Flag(configuration, "Containers", standard: false);

    private static string UrlOf(int port) => string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}");

    private static bool Flag(IConfiguration configuration, string name, bool standard)
    {
        if (configuration[name] is not { Length: > 0 } text) return standard;
        return bool.TryParse(text, out var value) ? value : throw new SettingException($"{name} is '{text}'. It must be true or false.");
    }

    private static PostgresSource Source(IConfiguration configuration)
    {
        if (configuration["Postgres:Source"] is not { Length: > 0 } text) return PostgresSource.Auto;
        return Enum.TryParse<PostgresSource>(text, ignoreCase: true, out var source) && Enum.IsDefined(source)
            ? source
            : throw new SettingException($"Postgres:Source is '{text}'. It must be Auto, Installed or Npm.");
    }

    private static int WorkerCount(IConfiguration configuration)
    {
        var text = configuration["Workers"];
        if (text is not { Length: > 0 }) return 2;
        return int.TryParse(text, CultureInfo.InvariantCulture, out var workers) && workers is > 0 and <= 64
            ? workers
            : throw new SettingException($"Workers is '{text}'. It must be a number of processes, 1 to 64.");
    }

    private static void RefuseUnknownPorts(IConfiguration configuration)
    {
        var unknown = configuration.GetSection("Ports").GetChildren().Select(port => port.Path)
            .FirstOrDefault(path => !All.Any(setting => setting.Name.Equals(path, StringComparison.OrdinalIgnoreCase)));
        if (unknown is not null)
            throw new SettingException(
                $"There is no setting {unknown}. Ports are: {string.Join(", ", All.Select(setting => setting.Name).Where(name => name.StartsWith("Ports:", StringComparison.Ordinal)))}.");
    }

    private static int Port(IConfiguration configuration, string name, int standard)
    {
        var setting = $"Ports:{name}";
        var text = configuration[setting];
        var port = standard;
        if (text is { Length: > 0 }
            && (!int.TryParse(text, CultureInfo.InvariantCulture, out port) || port is < 0 or > 65535))
            throw new SettingException($"{setting} is '{text}'. It must be a port, 1 to 65535, or 0 for any free one.");
        if (port == 0) return FreePort.Find();

        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        // As Kestrel does: a port in TIME_WAIT after a quick restart is free.
        if (!OperatingSystem.IsWindows()) probe.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            probe.Listen(1);
            return port;
        }
        catch (SocketException)
        {
            throw new SettingException(
                $"Port {port} is in use by another program. Stop it, or choose another port: --{setting}=<port> " +
                $"(or the environment variable Ports__{name}; 0 takes any free one).");
        }
    }
}
