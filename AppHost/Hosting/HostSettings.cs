using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Darkroom.AppHost.Postgres;
using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// The settings of this host. Each can be set on the command line (<c>--Ports:Api=6080</c>) or in the environment (<c>Ports__Api=6080</c>).
/// <c>--help</c> lists them.
/// </summary>
internal sealed class HostSettings
{
    /// <summary>Name, default and meaning of every setting.</summary>
    public static readonly IReadOnlyList<(string Name, string Default, string Meaning)> All =
    [
        ("data", ".data", "folder for all data; also DARKROOM_DATA in the environment"),
        ("environment", "Development", "other environments have no development key and cannot fetch images from this machine"),
        ("Ports:Api", "5080", "port of the page and API; for every port, 0 means any free one"),
        ("Ports:S3", "5081", "port of the S3 endpoint"),
        ("Ports:Samples", "5082", "port of the sample photos"),
        ("Ports:Dashboard", "5083", "port of the Aspire dashboard"),
        ("Ports:Postgres", "0", "port of the Postgres server"),
        ("Workers", "2", "worker processes, 1 to 64"),
        ("Dashboard", "true", "false: no dashboard"),
        ("Containers", "false", "true: Postgres, Redis and S3 in containers; needs Docker or Podman"),
        ("Postgres:Source", "Auto", "Installed: only an installed Postgres; Npm: only the npm package; Auto: installed if found, else npm"),
        ("Postgres:Binaries", "none", "folder that contains the programs postgres and initdb"),
        ("ConnectionStrings:darkroom", "none", "a Postgres server to use instead, 15 or later"),
        ("ConnectionStrings:redis", "none", "a Redis server to use instead, 7 or later"),
        ("ConnectionStrings:s3", "none", "an S3 bucket to use instead: Endpoint=..;Region=..;Bucket=..;ForcePathStyle=..;AccessKey=..;SecretKey=.."),
    ];

    /// <summary>
    /// Port of the API and the page, default 5080. Fixed, because stored CSVs contain links to the API that must work after a restart.
    /// </summary>
    public required int ApiPort { get; init; }

    /// <summary>Port of the embedded S3 endpoint, default 5081. Fixed for the same reason.</summary>
    public required int S3Port { get; init; }

    /// <summary>Port of the sample photos, default 5082. Fixed, because products.csv contains it.</summary>
    public required int SamplesPort { get; init; }

    /// <summary>Port of the dashboard, default 5083. Fixed, so that bookmarks keep working. Null if there is no dashboard.</summary>
    public required int? DashboardPort { get; init; }

    /// <summary>Port of the embedded Postgres server. By default any free port, since only the services need it.</summary>
    public required int? PostgresPort { get; init; }

    /// <summary>Number of worker processes, 1 to 64. The default of 2 shows that no worker is special.</summary>
    public required int Workers { get; init; }

    /// <summary>Where the Postgres programs come from.</summary>
    public required PostgresSource PostgresSource { get; init; }

    /// <summary>The folder with the Postgres programs; null to search the usual places.</summary>
    public required string? PostgresBinaries { get; init; }

    public string ApiUrl => UrlOf(ApiPort);
    public string S3Url => UrlOf(S3Port);
    public string SamplesUrl => UrlOf(SamplesPort);
    public string? DashboardUrl => DashboardPort is { } port ? UrlOf(port) : null;

    /// <summary>Reads and validates all settings.</summary>
    /// <exception cref="SettingException">A value is invalid, or a port is in use.</exception>
    public static HostSettings Read(IConfiguration configuration, bool hasDashboard)
    {
        RejectUnknownPorts(configuration);
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

    public static bool DashboardEnabled(IConfiguration configuration) => Flag(configuration, "Dashboard", defaultValue: true);

    public static bool ContainersEnabled(IConfiguration configuration) => Flag(configuration, "Containers", defaultValue: false);

    private static string UrlOf(int port) => string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}");

    private static bool Flag(IConfiguration configuration, string name, bool defaultValue)
    {
        if (configuration[name] is not { Length: > 0 } text)
            return defaultValue;
        return bool.TryParse(text, out var value) ? value : throw new SettingException($"{name} is '{text}'. It must be true or false.");
    }

    private static PostgresSource Source(IConfiguration configuration)
    {
        if (configuration["Postgres:Source"] is not { Length: > 0 } text)
            return PostgresSource.Auto;
        return Enum.TryParse<PostgresSource>(text, ignoreCase: true, out var source) && Enum.IsDefined(source)
            ? source
            : throw new SettingException($"Postgres:Source is '{text}'. It must be Auto, Installed or Npm.");
    }

    private static int WorkerCount(IConfiguration configuration)
    {
        var text = configuration["Workers"];
        if (text is not { Length: > 0 })
            return 2;
        return int.TryParse(text, CultureInfo.InvariantCulture, out var workers) && workers is > 0 and <= 64
            ? workers
            : throw new SettingException($"Workers is '{text}'. It must be a number from 1 to 64.");
    }

    private static void RejectUnknownPorts(IConfiguration configuration)
    {
        var unknown = configuration.GetSection("Ports").GetChildren().Select(port => port.Path)
            .FirstOrDefault(path => !All.Any(setting => setting.Name.Equals(path, StringComparison.OrdinalIgnoreCase)));
        if (unknown is not null)
            throw new SettingException(
                $"There is no setting {unknown}. The port settings are {string.Join(", ", All.Select(setting => setting.Name).Where(name => name.StartsWith("Ports:", StringComparison.Ordinal)))}.");
    }

    private static int Port(IConfiguration configuration, string name, int defaultValue)
    {
        var setting = $"Ports:{name}";
        var text = configuration[setting];
        var port = defaultValue;
        if (text is { Length: > 0 }
            && (!int.TryParse(text, CultureInfo.InvariantCulture, out port) || port is < 0 or > 65535))
            throw new SettingException($"{setting} is '{text}'. It must be a port from 1 to 65535, or 0 for any free port.");
        if (port == 0)
            return FreePort.Find();

        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        // As Kestrel does, so that a port in TIME_WAIT after a quick restart counts as free.
        if (!OperatingSystem.IsWindows())
            probe.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
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
                $"(or the environment variable Ports__{name}; 0 means any free port).");
        }
    }
}

/// <summary>A configuration problem that the user can fix; the message says how.</summary>
public sealed class SettingException(string message) : Exception(message);
