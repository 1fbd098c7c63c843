using System.Net;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Webhooks;

namespace Darkroom.Tests.Telemetry;

/// <summary>What a running system counts.</summary>
public sealed class SystemMetricsTests
{
    [Fact]
    public async Task Accepted_requests_are_counted_but_not_refused_or_repeated_ones()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        using var metrics = new RecordedMetrics(system.Services);

        Assert.Equal(HttpStatusCode.Accepted, await UploadAsync(system, ProductCsv.Of([system.Images.Good(1)]), key: "once"));
        Assert.Equal(HttpStatusCode.Accepted, await UploadAsync(system, ProductCsv.Of([system.Images.Good(1)]), key: "once"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await UploadAsync(system, ProductCsv.Header, key: "empty"));

        Assert.Equal(1, metrics.Sums("darkroom.requests.accepted").Values.Sum());
    }

    [Fact]
    public async Task The_codec_reports_its_time_by_format_and_outcome()
    {
        await using var system = await DarkroomSystem.StartAsync();
        using var metrics = new RecordedMetrics(system.Services);

        var request = await system.Client.UploadAsync(ProductCsv.Of([system.Images.Good(1)], [system.Images.Rgba(1)], [system.Images.Broken(1)]));
        await request.EndAsync();
        // What has been compressed once becomes no smaller.
        var compressed = (await request.OutputRowsAsync())[0].Outputs[0];
        await (await system.Client.UploadAsync(ProductCsv.Of([compressed]))).EndAsync();

        Assert.Equal(
            [
                "darkroom.image.format=jpg darkroom.outcome=encoded", "darkroom.image.format=jpg darkroom.outcome=failed",
                "darkroom.image.format=jpg darkroom.outcome=rewritten", "darkroom.image.format=png darkroom.outcome=encoded",
            ],
            metrics.Sums("darkroom.codec.duration").Keys.Order());
        Assert.Equal(4, metrics.Values("darkroom.codec.duration").Count);
    }

    [Theory]
    [InlineData(200, "delivered")]
    [InlineData(503, "retried")]
    [InlineData(410, "disabled")]
    public async Task Webhook_attempts_are_counted_by_what_follows(int status, string outcome)
    {
        await using var system = await DarkroomSystem.StartAsync();
        using var metrics = new RecordedMetrics(system.Services);
        system.Webhooks.AnswerStatus(status);

        await system.Client.UploadAsync(ProductCsv.Of([system.Images.Good(1)]), system.Webhooks.Url);

        await Eventually.TrueAsync(() => Task.FromResult(metrics.Sums("darkroom.webhooks.attempts").ContainsKey($"darkroom.outcome={outcome}")));
    }

    [Fact]
    public async Task A_webhook_attempt_after_the_last_one_that_is_due_is_counted_as_failed()
    {
        await using var scenario = await WebhookScenario.CreateAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerStatus(500);
        await scenario.EndRunAsync(receiver.Url);
        await scenario.Database.Sql($"update webhook_deliveries set attempts = {Darkroom.Webhooks.WebhookSchedule.MaxAttempts - 1}").ExecuteNonQueryAsync();

        var worker = await scenario.StartWorkerAsync();
        using var metrics = new RecordedMetrics(worker.Services);
        await receiver.NextAsync();

        await Eventually.TrueAsync(() => Task.FromResult(metrics.Sums("darkroom.webhooks.attempts").ContainsKey("darkroom.outcome=failed")));
    }

    private static async Task<HttpStatusCode> UploadAsync(DarkroomSystem system, string csv, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/requests")
        {
            Content = new MultipartFormDataContent { { new StringContent(csv), "file", "products.csv" } },
        };
        request.Headers.Add("Idempotency-Key", key);
        using var response = await system.Client.Http.SendAsync(request);
        return response.StatusCode;
    }
}
