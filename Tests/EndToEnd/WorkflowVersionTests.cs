using System.Text.Json;
using Darkroom.Data;
using Darkroom.Tests.Elsa.Instances;
using NetVips;
using StudioWindow = Darkroom.Tests.Elsa.Definitions.Studio;

namespace Darkroom.Tests.EndToEnd;

public sealed class WorkflowVersionTests : IAsyncLifetime
{
    private DarkroomSystem _system = null!;

    public async Task InitializeAsync() => _system = await DarkroomSystem.StartAsync();

    public async Task DisposeAsync() => await _system.DisposeAsync();

    [Theory]
    [InlineData("allowedHosts", "127.0.0.1", "host_not_allowed", "Line 3: ")]
    [InlineData("maxImages", "2", "too_many_images", "This workflow takes at most 2 images")]
    [InlineData("maxProducts", "1", "too_many_products", "This workflow takes at most 1 products")]
    public async Task A_request_rejected_by_its_workflow_fails_with_the_reason(string input, string value, string code, string message)
    {
        await Workflows.PublishAsync(_system.Database.DataSource, "picky", 1, workflow => workflow.SetInput("validate", input, value));
        var elsewhere = _system.Images.Good(3).Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

        var request = await _system.Client.UploadAsync(
            ProductCsv.Of([_system.Images.Good(1), _system.Images.Good(2)], [elsewhere]), _system.Webhooks.Url, "picky");
        var end = await request.EndAsync();

        Assert.Equal("failed", end.GetProperty("status").GetString());
        Assert.Equal(code, end.GetProperty("error").GetProperty("code").GetString());
        Assert.StartsWith(message, end.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        var webhook = JsonDocument.Parse((await _system.Webhooks.NextAsync()).Body).RootElement.GetProperty("data");
        Assert.Equal("failed", webhook.GetProperty("status").GetString());
        Assert.Equal(code, webhook.GetProperty("error").GetProperty("code").GetString());
        // Nothing was started: there are no rows and no downloads.
        Assert.Equal(0L, await _system.Database.DataSource.Sql("select count(*) from images").ExecuteScalarAsync());
        Assert.Empty(_system.Images.Requests);
    }

    [Fact]
    public async Task A_running_request_keeps_its_version_and_the_next_one_runs_the_published_version()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var first = system.StartWorkerProcess();
        var images = system.Images;
        var csv = ProductCsv.Of([images.Gated(1)]);
        await PublishQualityAsync(system, version: 1, quality: 60);
        var original = await ResultAsync(await system.Client.UploadAsync(csv, workflow: "versioned"));

        images.CloseGate();
        var running = await system.Client.UploadAsync(csv, workflow: "versioned");
        await images.RequestedAsync(images.Gated(1), 2);
        await PublishQualityAsync(system, version: 2, quality: 5);
        // A worker that has never seen version 1 must be able to continue it.
        await first.KillAsync();
        system.StartWorkerProcess();
        images.OpenGate();

        // An image in hand at a death goes to another codec, which makes other bytes of it, but about as many.
        var continued = await ResultAsync(running);
        var next = await ResultAsync(await system.Client.UploadAsync(csv, workflow: "versioned"));
        Assert.InRange(continued.Length, original.Length * 0.85, original.Length * 1.15);
        Assert.InRange(next.Length, 1, original.Length * 0.7);
    }

    [Fact]
    public async Task Requests_on_two_versions_of_the_default_workflow_run_concurrently_and_each_completes_on_its_own()
    {
        var images = _system.Images;
        var csv = ProductCsv.Of([images.Gated(1)]);
        images.CloseGate();
        var first = await _system.Client.UploadAsync(csv);
        await images.RequestedAsync(images.Gated(1), 1);

        var studio = new StudioWindow(_system.Client.Http);
        await studio.OpenAsync("image-compression");
        studio.Set("compress", "quality", "5");
        new EditedWorkflow(studio.Definition).InsertBefore("compress", "resize", "Darkroom.ResizeImage", ("width", "Literal", "160"));
        await studio.SaveAsync(publish: true);
        var second = await _system.Client.UploadAsync(csv);
        await images.RequestedAsync(images.Gated(1), 2);
        images.OpenGate();

        var (before, after) = (await ResultAsync(first), await ResultAsync(second));
        Assert.Equal((320, 240), Size(before));
        Assert.Equal((160, 120), Size(after));
        Assert.True(after.Length < before.Length, $"{after.Length} bytes after, {before.Length} before.");
        Assert.Equal((1, 2), (await VersionAsync(first), await VersionAsync(second)));
    }

    private static (int Width, int Height) Size(byte[] file)
    {
        using var image = Image.NewFromBuffer(file);
        return (image.Width, image.Height);
    }

    private async Task<long> VersionAsync(SubmittedRequest request) =>
        Assert.Single((await _system.Client.Http.SearchAsync(new { correlationId = request.Id })).Items).Number("version");

    private static Task PublishQualityAsync(DarkroomSystem system, int version, int quality) =>
        Workflows.PublishAsync(
            system.Database.DataSource, "versioned", version, workflow => workflow.SetInput("compress", "quality", $"{quality}"));

    /// <summary>The result of a finished request's only image.</summary>
    private static async Task<byte[]> ResultAsync(SubmittedRequest request)
    {
        var end = await request.EndAsync();
        Assert.Equal("completed", end.GetProperty("status").GetString());
        var row = Assert.Single(await request.OutputRowsAsync());
        using var anonymous = new HttpClient();
        return await anonymous.GetByteArrayAsync(Assert.Single(row.Outputs));
    }
}
