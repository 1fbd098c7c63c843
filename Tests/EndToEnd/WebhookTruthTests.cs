using System.Net;
using System.Text.Json;
using Darkroom.Tests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Guarantee 5: the webhook is never sent before the result is committed, however the request ends.</summary>
public sealed class WebhookTruthTests
{
    [Theory]
    [InlineData("completed", HttpStatusCode.OK)]
    [InlineData("completed_with_errors", HttpStatusCode.OK)]
    [InlineData("failed", HttpStatusCode.Conflict)]
    [InlineData("cancelled", HttpStatusCode.Conflict)]
    public async Task When_a_webhook_arrives_the_API_already_reports_the_same_state(string status, HttpStatusCode output)
    {
        await using var system = await DarkroomSystem.StartAsync();
        var seen = WatchArrival(system);

        await EndAsAsync(system, status);

        var arrival = await seen.Task.WaitAsync(Eventually.Patience);
        Assert.Equal(("request." + status, status, status, output), arrival);
        var webhook = await system.Webhooks.NextAsync();
        Assert.True(webhook.IsSignedWith(system.WebhookSecret));
        Assert.Single(system.Webhooks.All);
    }

    /// <summary>The status in the webhook, and the API's status before the receiver responds to the webhook.</summary>
    private static TaskCompletionSource<(string Type, string Told, string Status, HttpStatusCode Output)> WatchArrival(DarkroomSystem system)
    {
        var seen = new TaskCompletionSource<(string, string, string, HttpStatusCode)>(TaskCreationOptions.RunContinuationsAsynchronously);
        system.Webhooks.Answer = async context =>
        {
            var body = JsonDocument.Parse(system.Webhooks.All.Last().Body).RootElement;
            var data = body.GetProperty("data");
            var request = new SubmittedRequest(system.Client, data.GetProperty("request_id").GetString()!);
            var status = await request.StatusAsync();
            seen.TrySetResult((
                body.GetProperty("type").GetString()!, data.GetProperty("status").GetString()!,
                status.GetProperty("status").GetString()!, await request.OutputStatusAsync()));
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        };
        return seen;
    }

    private static async Task EndAsAsync(DarkroomSystem system, string status)
    {
        var images = system.Images;
        switch (status)
        {
            case "completed":
                await system.Client.UploadAsync(ProductCsv.Of([images.Good(1)]), system.Webhooks.Url);
                break;
            case "completed_with_errors":
                await system.Client.UploadAsync(ProductCsv.Of([images.Good(1), images.Missing(2)]), system.Webhooks.Url);
                break;
            case "failed":
                await Workflows.PublishAsync(system.Database.DataSource, "picky", 1, workflow => workflow.SetInput("validate", "maxImages", "1"));
                await system.Client.UploadAsync(ProductCsv.Of([images.Good(1)], [images.Good(2)]), system.Webhooks.Url, "picky");
                break;
            case "cancelled":
                images.CloseGate();
                var request = await system.Client.UploadAsync(ProductCsv.Of([images.Gated(1)]), system.Webhooks.Url);
                await images.RequestedAsync(images.Gated(1), 1);
                Assert.Equal(HttpStatusCode.OK, await request.CancelAsync());
                break;
        }
    }
}
