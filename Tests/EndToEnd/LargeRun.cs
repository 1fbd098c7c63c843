using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Darkroom.Data;
using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Webhooks;
using Npgsql;

namespace Darkroom.Tests.EndToEnd;

/// <summary>
/// A request with three hundred valid images. Whatever fault is injected meanwhile, each row must be in the output once, with its object,
/// and the webhook must have one id. The last products are held back until the check, so that every fault hits a running request.
/// </summary>
internal sealed class LargeRun
{
    public const int Images = 300;
    private const int Products = Images / 3;
    private const int HeldBack = 10;

    private readonly ImageServer _source;
    private readonly WebhookReceiver _webhooks;

    private LargeRun(SubmittedRequest request, ImageServer source, WebhookReceiver webhooks) =>
        (Request, _source, _webhooks) = (request, source, webhooks);

    public SubmittedRequest Request { get; }

    public static Task<LargeRun> StartAsync(DarkroomSystem system) => StartAsync(system.Client, system.Images, system.Webhooks);

    public static async Task<LargeRun> StartAsync(DarkroomClient client, ImageServer source, WebhookReceiver webhooks)
    {
        source.CloseGate();
        var products = Enumerable.Range(0, Products).Select(product => (IReadOnlyList<string>)
        [
            source.Good(3 * product), source.Good((3 * product) + 1),
            product < Products - HeldBack ? source.Good((3 * product) + 2) : source.Gated((3 * product) + 2),
        ]);
        return new LargeRun(await client.UploadAsync(ProductCsv.Of([.. products]), webhooks.Url), source, webhooks);
    }

    public Task ReachAsync(int images) => Request.ReachAsync(images);

    public Task CheckAsync(DarkroomSystem system) =>
        CheckAsync(system.Database.DataSource, system.S3.CreateStore(), system.WebhookSecret);

    public async Task CheckAsync(NpgsqlDataSource database, ObjectStore store, string webhookSecret)
    {
        // The faults broke the test's own connections too.
        database.Clear();
        Assert.False(SubmittedRequest.HasEnded(await Request.StatusAsync()), "The run ended before the last fault.");
        _source.OpenGate();

        var end = await Request.EndAsync();
        Assert.Equal("completed", end.GetProperty("status").GetString());
        Assert.Equal(Images, end.GetProperty("images").GetProperty("succeeded").GetInt32());
        await CheckOutputAsync();
        await CheckObjectsAsync(database, store);
        await CheckWebhookAsync(webhookSecret);
    }

    private async Task CheckOutputAsync()
    {
        var rows = await Request.OutputRowsAsync();
        Assert.Equal(Enumerable.Range(1, Products).Select(i => $"{i}."), rows.Select(row => row.Serial));
        Assert.All(rows, row => Assert.Empty(row.Errors));
        var outputs = rows.SelectMany(row => row.Outputs).ToList();
        Assert.Equal(Images, outputs.Distinct().Count());
        using var anonymous = new HttpClient();
        foreach (var url in outputs)
        {
            using var image = await anonymous.GetAsync(url);
            Assert.True(image.StatusCode == HttpStatusCode.OK, $"{url}: {image.StatusCode}");
        }
    }

    /// <summary>Checks that the recorded metadata match the stored object.</summary>
    private async Task CheckObjectsAsync(NpgsqlDataSource database, ObjectStore store)
    {
        await using var command = database.Sql(
                "select output_key, output_sha256 from images where request_id = @id order by row, position")
            .With("id", Guid.Parse(Request.Id));
        await using var reader = await command.ExecuteReaderAsync();
        var images = 0;
        while (await reader.ReadAsync())
        {
            await using var content = await store.OpenReadAsync(reader.GetString(0), default);
            Assert.Equal(reader.GetFieldValue<byte[]>(1), await SHA256.HashDataAsync(content));
            images++;
        }

        Assert.Equal(Images, images);
    }

    private async Task CheckWebhookAsync(string secret)
    {
        var delivery = await _webhooks.NextAsync();
        Assert.True(delivery.IsSignedWith(secret));
        Assert.Equal("completed", JsonDocument.Parse(delivery.Body).RootElement.GetProperty("data").GetProperty("status").GetString());
        Assert.Single(_webhooks.All.Select(webhook => webhook.Id).Distinct());
    }
}
