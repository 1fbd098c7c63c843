using System.Diagnostics;
using System.Net;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Npgsql;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>
/// The whole product with a relay or proxy in front of each store, so that requests to the stores can fail before and after their effect.
/// API and workers reach the stores only through these; the oracle reads them directly.
/// </summary>
internal sealed class FaultLab : IAsyncDisposable
{
    private readonly ITestOutputHelper _output;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    private FaultLab(DarkroomSystem system, PostgresRelay postgres, RedisRelay redis, S3Proxy s3, ITestOutputHelper output)
    {
        System = system;
        Postgres = postgres;
        Redis = redis;
        S3 = s3;
        _output = output;
    }

    public DarkroomSystem System { get; }
    public PostgresRelay Postgres { get; }
    public RedisRelay Redis { get; }
    public S3Proxy S3 { get; }

    /// <summary>A name under which one image in ten is fetched, each over a connection of its own. Null: all by address.</summary>
    public string? ImageHost { get; set; }

    /// <param name="output">Where figures go.</param>
    /// <param name="workers">Workers in this process; those that are killed are started with <see cref="DarkroomSystem.StartWorkerProcess"/>.</param>
    /// <param name="redis">Which Redis server to use.</param>
    /// <param name="postgres">Connection string of the test's own server. Null: the test run's shared server.</param>
    /// <param name="settings">Additional settings for all services.</param>
    public static async Task<FaultLab> StartAsync(
        ITestOutputHelper output, int workers = 0, RedisKind redis = RedisKind.Garnet, string? postgres = null, params (string Name, string Value)[] settings)
    {
        (PostgresRelay Postgres, RedisRelay Redis, S3Proxy S3) stores = (null!, null!, null!);
        var system = await DarkroomSystem.StartAsync(workers, redis, postgres, async system =>
        {
            var server = IPEndPoint.Parse(system.Redis.ConnectionString.Split(',')[0]);
            stores = (new PostgresRelay(system.Database.ConnectionString), new RedisRelay(server), await S3Proxy.StartAsync(system.S3.Url));
            // Short, because a request whose answer never comes blocks its caller for that long.
            system.Settings["ConnectionStrings:darkroom"] =
                new NpgsqlConnectionStringBuilder(stores.Postgres.ConnectionString) { CommandTimeout = 5, CancellationTimeout = 1000 }.ConnectionString;
            system.Settings["ConnectionStrings:redis"] = stores.Redis.ConnectionString;
            system.Settings["ConnectionStrings:s3"] = stores.S3.ConnectionStringOf(system.S3.Connection);
            system.Settings["Storage:Try"] = "00:00:03";
            // Every fault is logged as a warning by whoever meets it.
            system.Settings["Logging:LogLevel:Default"] = "Critical";
        }, settings);
        return new FaultLab(system, stores.Postgres, stores.Redis, stores.S3, output);
    }

    /// <summary>
    /// A file of products: one image in ten does not exist, the others are good. The last ones are held back until the gate of the image
    /// server opens.
    /// </summary>
    /// <param name="images">Images of all products together.</param>
    /// <param name="heldBack">How many of them are held back.</param>
    public string CsvOf(int images, int heldBack = 0) => ProductCsv.Of([.. Enumerable.Range(0, images / 2).Select(product => (IReadOnlyList<string>)
    [
        2 * product < images - heldBack ? System.Images.Good(2 * product) : System.Images.Gated(2 * product),
        (product % 5) switch
        {
            4 => System.Images.Missing(product),
            3 when ImageHost is not null => new UriBuilder(System.Images.Good((2 * product) + 1)) { Host = ImageHost }.Uri.AbsoluteUri,
            _ => System.Images.Good((2 * product) + 1),
        },
    ])]);

    /// <summary>Uploads the products of two owners; see <see cref="CsvOf"/>.</summary>
    /// <param name="images">Images per owner.</param>
    /// <param name="heldBack">How many of them are held back.</param>
    public async Task<IReadOnlyList<SubmittedRequest>> UploadAsync(int images, int heldBack = 0)
    {
        if (heldBack > 0)
            System.Images.CloseGate();
        var csv = CsvOf(images, heldBack);
        var other = await System.ClientOfAsync("a competitor");
        _clock.Restart();
        return [await System.Client.UploadAsync(csv, System.Webhooks.Url), await other.UploadAsync(csv, System.Webhooks.Url)];
    }

    /// <summary>How many rows there are.</summary>
    /// <param name="what">A table, and perhaps a condition: what follows <c>from</c>.</param>
    public async Task<long> CountAsync(string what) =>
        (long)(await System.Database.DataSource.Sql($"select count(*) from {what}").ExecuteScalarAsync())!;

    /// <summary>How many images of all requests have ended.</summary>
    public async Task<long> EndedAsync() => (long)(await System.Database.DataSource
        .Sql("select coalesce(sum(images_succeeded + images_failed), 0) from csv_data_table").ExecuteScalarAsync())!;

    /// <summary>Whether any request has not ended.</summary>
    public async Task<bool> HasWorkAsync() => (bool)(await System.Database.DataSource
        .Sql("select exists (select from csv_data_table where status in ('created', 'processing'))").ExecuteScalarAsync())!;

    /// <summary>Waits until all requests have ended and their webhooks have arrived, then asks the oracle.</summary>
    /// <param name="requests">What was uploaded.</param>
    /// <param name="context">What happened, and how to repeat it; printed with the figures.</param>
    /// <param name="timeout">For all of them together.</param>
    public async Task CheckAsync(IEnumerable<SubmittedRequest> requests, string context, TimeSpan timeout)
    {
        System.Database.DataSource.Clear();
        try
        {
            foreach (var request in requests)
                await request.EndAsync(timeout);
            var ended = _clock.Elapsed;
            await Eventually.GetAsync(
                PendingWebhooksAsync, pending => pending == 0, "All webhooks are delivered");
            _output.WriteLine($"{context}: all ended after {ended.TotalSeconds:0.0} s");
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{context}: {e.Message}{Environment.NewLine}{await DescribeAsync()}", e);
        }

        await new Oracle(System.Database.DataSource, System.S3.CreateStore()).CheckAsync(System.Webhooks.All, context);
    }

    public async ValueTask DisposeAsync()
    {
        Postgres.Before = null;
        Postgres.After = null;
        Redis.Before = null;
        S3.Before = null;
        S3.After = null;
        await System.DisposeAsync();
        await S3.DisposeAsync();
        await Redis.DisposeAsync();
        await Postgres.DisposeAsync();
    }

    private async Task<long> PendingWebhooksAsync() =>
        (long)(await System.Database.DataSource.Sql("select count(*) from webhook_deliveries where state = 'pending'").ExecuteScalarAsync())!;

    /// <summary>What is stuck where.</summary>
    private async Task<string> DescribeAsync()
    {
        await using var command = System.Database.DataSource.Sql(
            """
            select format('request %s: %s, run %s, %s + %s of %s, fan-out %s', id, status, run, images_succeeded, images_failed, no_of_images, fan_out_open)
            from csv_data_table
            union all
            select format('%s images of %s %s, owner %s', count(*), request_id, state, owner) from images group by request_id, state, owner
            union all
            select format('instance of %s: %s, ready %s, owner %s, attempts %s', request_id, sub_status, ready_at, owner, attempts) from workflow_instances
            union all
            select format('process %s: heartbeat %s', id, now() - heartbeat_at) from processes
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync())
            lines.Add(reader.GetString(0));
        return string.Join(Environment.NewLine, lines);
    }
}
