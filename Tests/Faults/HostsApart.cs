using System.Net;
using System.Net.Sockets;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.Faults;

/// <summary>
/// The product on hosts of its own: an API, two workers, each store and the outside world, with a network between them that can be cut.
/// The stores and the outside world are the laboratory's, whose addresses on this network are relays.
/// </summary>
internal sealed class HostsApart : IAsyncDisposable
{
    public const string Api = "api";
    public const string Postgres = "postgres";
    public const string Redis = "redis";
    public const string S3 = "s3";
    /// <summary>Image host and webhook receiver.</summary>
    public const string World = "world";
    public static readonly IReadOnlyList<string> Workers = ["worker1", "worker2"];

    private const string Client = "client";
    private const int ApiPort = 8080;
    private const int ImagePort = 8081;
    private const int WebhookPort = 8082;

    /// <summary>
    /// Settings for the laboratory. The outside world has unusual ports, and few images a second, so that a cut hits a running request.
    /// </summary>
    public static readonly (string Name, string Value)[] Settings =
    [
        ("Egress:AdditionalPorts:0", $"{ImagePort}"),
        ("Egress:AdditionalPorts:1", $"{WebhookPort}"),
        ("Upload:AllowHttpWebhooks", "true"),
        ("Egress:RequestsPerSecondPerHost", $"{ImagesPerSecond}"),
    ];

    /// <summary>Images per worker.</summary>
    public const int ImagesPerSecond = 5;

    private readonly HostNetwork _network;
    private readonly FaultLab _lab;
    private readonly List<PlainRelay> _relays = [];
    private readonly List<ServiceProcess> _processes = [];

    private HostsApart(HostNetwork network, FaultLab lab)
    {
        _network = network;
        _lab = lab;
        Relay(World, new Uri(lab.System.Images.Url), ImagePort);
        Relay(World, new Uri(lab.System.Webhooks.Url), WebhookPort);
    }

    public static async Task<HostsApart> StartAsync(FaultLab lab)
    {
        var hosts = new HostsApart(HostNetwork.Create([Api, .. Workers, Postgres, Redis, S3, World, Client]), lab);
        try
        {
            hosts.MoveStores();
            hosts._processes.Add(hosts._network.On(Api, () => ServiceProcess.StartApi(lab.System.Settings, $"http://{hosts.AddressOf(Api)}:{ApiPort}")));
            foreach (var worker in Workers)
                hosts._processes.Add(hosts._network.On(worker, () => ServiceProcess.Start(lab.System.Settings)));
            return hosts;
        }
        catch
        {
            await hosts.DisposeAsync();
            throw;
        }
    }

    /// <summary>A client of the API on its host, with a key of this owner.</summary>
    public Task<DarkroomClient> ClientOfAsync(string owner) =>
        _lab.System.ClientOfAsync(owner, new Uri($"http://{AddressOf(Api)}:{ApiPort}"), new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = _network.On(Client, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });

    /// <summary>The text with the URLs of the laboratory's image server and webhook receiver as these hosts see them.</summary>
    public string Seen(string text) => text
        .Replace(_lab.System.Images.Url, $"http://{AddressOf(World)}:{ImagePort}", StringComparison.Ordinal)
        .Replace(_lab.System.Webhooks.Url, $"http://{AddressOf(World)}:{WebhookPort}/hook", StringComparison.Ordinal);

    public void Cut(Partition partition)
    {
        foreach (var (from, to) in partition.Lost)
            _network.Cut(from, to);
    }

    public void Heal(Partition partition)
    {
        foreach (var (from, to) in partition.Lost)
            _network.Heal(from, to);
    }

    /// <summary>How many bytes a store or the outside world has received from another host.</summary>
    public long Received(string host, string from) =>
        _relays.Where(relay => relay.Address.Equals(AddressOf(host))).Sum(relay => relay.ReceivedFrom(AddressOf(from)));

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
            await process.DisposeAsync();
        foreach (var relay in _relays)
            await relay.DisposeAsync();
        _network.Dispose();
    }

    private IPAddress AddressOf(string host) => _network.AddressOf(host);

    /// <summary>Services started from now on find the stores on their hosts.</summary>
    private void MoveStores()
    {
        var (system, settings) = (_lab.System, _lab.System.Settings);
        var postgres = new NpgsqlConnectionStringBuilder(system.Database.ConnectionString);
        Relay(Postgres, IPEndPoint.Parse($"{postgres.Host}:{postgres.Port}"), 5432);
        Relay(Redis, IPEndPoint.Parse(system.Redis.ConnectionString.Split(',')[0]), 6379);
        Relay(S3, system.S3.Url, 9000);
        settings["ConnectionStrings:darkroom"] =
            new NpgsqlConnectionStringBuilder(settings["ConnectionStrings:darkroom"]) { Host = $"{AddressOf(Postgres)}", Port = 5432 }.ConnectionString;
        settings["ConnectionStrings:redis"] = $"{AddressOf(Redis)}:6379,abortConnect=false";
        settings["ConnectionStrings:s3"] = system.S3.ConnectionString.Replace(system.S3.Url.Authority, $"{AddressOf(S3)}:9000", StringComparison.Ordinal);
    }

    private void Relay(string host, Uri target, int port) => Relay(host, IPEndPoint.Parse(target.Authority), port);

    private void Relay(string host, IPEndPoint target, int port) =>
        _relays.Add(_network.On(host, () => new PlainRelay(target, AddressOf(host), port)));
}

/// <summary>Two hosts between which packets are lost, from the first to the second, from the second to the first, or both.</summary>
internal sealed record Partition(string First, string Second, bool Forth, bool Back)
{
    private static readonly (bool Forth, bool Back)[] Directions = [(true, false), (false, true), (true, true)];

    /// <summary>The directions in which packets are lost.</summary>
    public IEnumerable<(string From, string To)> Lost
    {
        get
        {
            if (Forth)
                yield return (First, Second);
            if (Back)
                yield return (Second, First);
        }
    }

    /// <summary>
    /// Every pair that matters once, in an order and with directions that depend on the seed. Three seeds in a row use all directions.
    /// </summary>
    public static IReadOnlyList<Partition> Of(int seed)
    {
        var random = new Random(seed);
        (string, string)[] pairs =
        [
            (Worker(random), HostsApart.Postgres), (HostsApart.Api, HostsApart.S3), (Worker(random), HostsApart.Redis),
            (HostsApart.Api, HostsApart.Postgres), (Worker(random), HostsApart.S3), (HostsApart.Api, HostsApart.Redis),
            (Worker(random), HostsApart.World),
        ];
        var all = pairs.Select((pair, index) =>
        {
            var (forth, back) = Directions[(index + seed) % Directions.Length];
            return new Partition(pair.Item1, pair.Item2, forth, back);
        });
        return [.. all.OrderBy(_ => random.Next())];
    }

    public override string ToString() => $"{First} {(Forth ? Back ? "x-x" : "-x>" : "<x-")} {Second}";

    private static string Worker(Random random) => HostsApart.Workers[random.Next(HostsApart.Workers.Count)];
}
