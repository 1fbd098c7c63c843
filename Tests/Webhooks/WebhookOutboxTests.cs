using System.Text.Json;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Tests.Infrastructure;
using Darkroom.Webhooks;

namespace Darkroom.Tests.Webhooks;

public sealed class WebhookOutboxTests : IAsyncLifetime
{
    private const string Url = "https://receiver.example/hook";

    private WebhookScenario _scenario = null!;

    public async Task InitializeAsync() => _scenario = await WebhookScenario.CreateAsync();

    public async Task DisposeAsync() => await _scenario.DisposeAsync();

    [Theory]
    [InlineData("completed", 0, 100)]
    [InlineData("completed_with_errors", 1, 100)]
    [InlineData("failed", 0, 50)]
    [InlineData("cancelled", 0, 50)]
    public async Task Every_end_of_a_run_leaves_a_webhook_with_its_status(string status, int failed, int percentage)
    {
        var request = await _scenario.EndRunAsync(Url, status, images: 3, failed);

        var body = await BodyAsync();
        Assert.Equal($"request.{status}", body.GetProperty("type").GetString());
        var data = body.GetProperty("data");
        Assert.Equal(request.ToString(), data.GetProperty("request_id").GetString());
        Assert.Equal(status, data.GetProperty("status").GetString());
        Assert.Equal(1, data.GetProperty("run").GetInt32());
        Assert.Equal(body.GetProperty("timestamp").GetString(), data.GetProperty("occurred_at").GetString());
        Assert.Equal((3, 3), (data.GetProperty("no_of_products").GetInt32(), data.GetProperty("no_of_images").GetInt32()));
        Assert.Equal(failed, data.GetProperty("images_failed").GetInt32());
        Assert.Equal(percentage, data.GetProperty("processing_percentage").GetInt32());
        Assert.Equal(600, data.GetProperty("bytes").GetProperty("saved").GetInt64());
        Assert.Equal(status == "failed" ? "workflow_faulted" : null, Code(data));
        var links = data.GetProperty("links");
        Assert.Equal($"{WebhookScenario.Api}/v1/requests/{request}", links.GetProperty("self").GetString());
        Assert.Equal(percentage == 100, links.GetProperty("output_csv").ValueKind == JsonValueKind.String);
    }

    [Fact]
    public async Task Images_are_listed_in_file_order_with_working_links()
    {
        await _scenario.EndRunAsync(Url, "completed_with_errors", images: 3, failed: 1);

        var data = (await BodyAsync()).GetProperty("data");
        var images = data.GetProperty("images").EnumerateArray().ToList();
        Assert.Equal([1, 2, 3], images.Select(image => image.GetProperty("row").GetInt32()));
        Assert.Equal(["failed", "succeeded", "succeeded"], images.Select(image => image.GetProperty("state").GetString()));
        Assert.Equal("http_404", Code(images[0]));
        Assert.Equal(JsonValueKind.Null, images[0].GetProperty("output_url").ValueKind);
        Assert.StartsWith($"{WebhookScenario.Api}/i/", images[1].GetProperty("output_url").GetString(), StringComparison.Ordinal);
        Assert.False(data.GetProperty("images_truncated").GetBoolean());
    }

    [Fact]
    public async Task Images_without_an_outcome_are_shown_as_cancelled_in_a_cancelled_request()
    {
        await _scenario.EndRunAsync(Url, "cancelled", images: 2, failed: 1);

        var images = (await BodyAsync()).GetProperty("data").GetProperty("images").EnumerateArray();
        Assert.Equal(["failed", "cancelled"], images.Select(image => image.GetProperty("state").GetString()));
    }

    [Theory]
    [InlineData(5, false)]
    [InlineData(6, true)]
    public async Task Too_many_images_are_replaced_by_a_link(int images, bool truncated)
    {
        var request = await _scenario.EndRunAsync(Url, images: images, options: new WebhookOptions { MaxImages = 5 });

        var data = (await BodyAsync()).GetProperty("data");
        Assert.Equal(truncated, data.GetProperty("images_truncated").GetBoolean());
        Assert.Equal(truncated ? 0 : images, data.GetProperty("images").GetArrayLength());
        Assert.Equal($"{WebhookScenario.Api}/v1/requests/{request}/images", data.GetProperty("links").GetProperty("images").GetString());
    }

    [Fact]
    public async Task Registrations_of_the_workflow_add_receivers_and_payloads_and_none_is_notified_twice()
    {
        var payload = JsonSerializer.SerializeToElement(new { order = 7 });
        var request = await _scenario.EndRunAsync(Url, registrations:
        [
            new WebhookRegistration(Url: null, payload),
            new WebhookRegistration(Url, JsonSerializer.SerializeToElement("later")),
            new WebhookRegistration("https://other.example/", Payload: null),
        ]);

        var deliveries = await _scenario.Log.ListAsync(_scenario.Owner, request, default);
        Assert.Equal(["https://other.example/", Url], deliveries.Select(delivery => delivery.Url).Order(StringComparer.Ordinal));
        Assert.Equal(2, deliveries.Select(delivery => delivery.Id).Distinct().Count());
        Assert.Equal(7, (await BodyAsync(Url)).GetProperty("data").GetProperty("payload").GetProperty("order").GetInt32());
        Assert.False((await BodyAsync("https://other.example/")).GetProperty("data").TryGetProperty("payload", out _));
    }

    [Fact]
    public async Task A_request_without_a_receiver_leaves_no_webhook() =>
        Assert.Empty(await _scenario.Log.ListAsync(_scenario.Owner, await _scenario.EndRunAsync(url: null), default));

    [Theory]
    [InlineData("ftp://receiver.example/")]
    [InlineData("https://user:secret@receiver.example/")]
    [InlineData("not a url")]
    [InlineData("https://receiver.example/\u0001\u0000")]
    public async Task An_invalid_url_does_not_keep_the_run_from_ending(string url)
    {
        var request = await _scenario.EndRunAsync(url: null, registrations: [new WebhookRegistration(url, Payload: null)]);

        var delivery = await _scenario.DeliveryAsync(request);
        Assert.Equal(("failed", "invalid_url"), (delivery.State, delivery.LastError));
        Assert.Equal(WebhookReplay.InvalidUrl, await _scenario.Log.ReplayAsync(_scenario.Owner, delivery.Id, default));
    }

    [Fact]
    public async Task A_very_long_url_does_not_keep_the_run_from_ending()
    {
        var request = await _scenario.EndRunAsync(url: null, registrations: [new WebhookRegistration("https://receiver.example/" + new string('\u6f22', 50_000), Payload: null)]);

        Assert.Equal("failed", (await _scenario.DeliveryAsync(request)).State);
    }

    [Fact]
    public async Task A_webhook_of_a_run_that_has_not_ended_is_refused()
    {
        var request = await new RequestBuilder(_scenario.Database).OwnedBy(_scenario.Owner).BuildAsync();
        var outbox = await _scenario.CreateOutboxAsync();
        await using var connection = await _scenario.Database.OpenConnectionAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => WebhookScenario.InsertAsync(outbox, connection, _scenario.Owner, request.Id));
    }

    [Fact]
    public async Task A_rolled_back_end_leaves_no_webhook_and_a_repeated_one_leaves_one_under_the_same_id()
    {
        var request = await _scenario.EndRunAsync(Url);
        var first = await _scenario.DeliveryAsync(request);
        var outbox = await _scenario.CreateOutboxAsync();
        await using var connection = await _scenario.Database.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            Assert.Equal(0, await WebhookScenario.InsertAsync(outbox, connection, _scenario.Owner, request));
            Assert.Equal(1, await WebhookScenario.InsertAsync(outbox, connection, _scenario.Owner, request, new WebhookRegistration("https://new.example/", null)));
            await transaction.RollbackAsync();
        }

        Assert.Equal(first.Id, (await _scenario.DeliveryAsync(request)).Id);
        Assert.Equal(first.Id, WebhookOutbox.MessageId(request, 1, Url));
        Assert.NotEqual(first.Id, WebhookOutbox.MessageId(request, 2, Url));
    }

    private static string? Code(JsonElement of) =>
        of.GetProperty("error") is { ValueKind: JsonValueKind.Object } error ? error.GetProperty("code").GetString() : null;

    private async Task<JsonElement> BodyAsync(string url = Url)
    {
        var body = await _scenario.Database.Sql("select body from webhook_deliveries where url = @url").With("url", url).ExecuteScalarAsync();
        using var document = JsonDocument.Parse((string)body!);
        return document.RootElement.Clone();
    }
}
