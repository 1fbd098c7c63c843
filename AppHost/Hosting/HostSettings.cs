using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// The ports that people see. Settable as <c>--Ports:Api=6080</c>, <c>Ports__Api=6080</c> or in appsettings.json; 0: any free one.
/// </summary>
internal sealed class HostSettings
{
    /// <summary>
    /// Of the API and the page, default 5080. Fixed, because links to the API stand in stored CSVs and must work after a restart.
    /// </summary>
    public required int ApiPort { get; init; }

    /// <summary>Of the embedded S3 endpoint, default 5081. Fixed for the same reason.</summary>
    public required int S3Port { get; init; }

    /// <summary>Of the sample photos, default 5082. Fixed, because products.csv names it.</summary>
    public required int SamplesPort { get; init; }

    /// <summary>Worker processes, default 2: enough to see that no process is special.</summary>
    public required int Workers { get; init; }

    public string ApiUrl => UrlOf(ApiPort);
    public string S3Url => UrlOf(S3Port);
    public string SamplesUrl => UrlOf(SamplesPort);

    /// <summary>Throws for a port that is no port, or in use.</summary>
    public static HostSettings Read(IConfiguration configuration) => new()
    {
        ApiPort = Port(configuration, "Api", 5080),
        S3Port = Port(configuration, "S3", 5081),
        SamplesPort = Port(configuration, "Samples", 5082),
        Workers = WorkerCount(configuration),
    };

    private static string UrlOf(int port) => string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}");

    private static int WorkerCount(IConfiguration configuration)
    {
        var text = configuration["Workers"];
        if (text is not { Length: > 0 }) return 2;
        return int.TryParse(text, CultureInfo.InvariantCulture, out var workers) && workers is > 0 and <= 64
            ? workers
            : throw new SettingException($"Workers is '{text}'. It must be a number of processes, 1 to 64.");
    }

    private static int Port(IConfiguration configuration, string name, int standard)
    {
        var setting = $"Ports:{name}";
        var text = configuration[setting];
        var port = standard;
        if (text is { Length: > 0 }
            && (!int.TryParse(text, CultureInfo.InvariantCulture, out port) || port is < 0 or > 65535))
            throw new SettingException($"{setting} is '{text}'. It must be a port, 1 to 65535, or 0 for any free one.");

        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        // As Kestrel does: a port in TIME_WAIT after a quick restart is free.
        if (!OperatingSystem.IsWindows()) probe.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            probe.Listen(1);
            return ((IPEndPoint)probe.LocalEndPoint!).Port;
        }
        catch (SocketException)
        {
            throw new SettingException(
                $"Port {port} is in use by another program. Stop it, or choose another port: --{setting}=<port> " +
                $"(or the environment variable Ports__{name}; 0 takes any free one).");
        }
    }
}
