using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Darkroom.Tests.AppHost;

/// <summary>The AppHost as an Aspire application: its resources, their health, and their dashboard commands.</summary>
public sealed class HostTests(RunningHost host) : IClassFixture<RunningHost>
{
    [Theory]
    [InlineData("postgres")]
    [InlineData("darkroom")]
    [InlineData("redis")]
    [InlineData("s3")]
    [InlineData("samples")]
    [InlineData("api")]
    [InlineData("worker")]
    public async Task Every_resource_is_running_and_healthy(string name)
    {
        var state = await host.Notifications.WaitForResourceHealthyAsync(name);

        Assert.Equal(KnownResourceStates.Running, state.Snapshot.State?.Text);
        Assert.Equal(HealthStatus.Healthy, state.Snapshot.HealthStatus);
        Assert.Contains(host.Resource(name).Annotations, annotation => annotation is ResourceIconAnnotation);
    }

    [Fact]
    public async Task Api_urls_have_display_names()
    {
        var state = await host.Notifications.WaitForResourceHealthyAsync("api");

        Assert.Equal(["API reference", "Page", "Studio"], state.Snapshot.Urls.Select(url => url.DisplayProperties.DisplayName).Order());
    }

    [Fact]
    public void Development_key_is_a_secret() => Assert.True(((ParameterResource)host.Resource("development-key")).Secret);

    [Fact]
    public async Task Uploaded_sample_completes_even_if_redis_is_wiped_meanwhile()
    {
        var accepted = await host.ExecuteAsync("api", "upload-sample");
        Assert.True(accepted.Success, accepted.Message);
        var wiped = await host.ExecuteAsync("redis", "wipe");
        Assert.True(wiped.Success, wiped.Message);

        using var client = await host.ClientAsync();
        var id = JsonDocument.Parse(accepted.Data!.Value).RootElement.GetProperty("id").GetString();
        var request = await Eventually.GetAsync(
            async () => JsonDocument.Parse(await client.Http.GetStringAsync(new Uri($"/v1/requests/{id}", UriKind.Relative))).RootElement,
            status => status.GetProperty("processing_percentage").GetInt32() == 100,
            "The sample is completed");

        Assert.Equal("completed", request.GetProperty("status").GetString());
        Assert.Equal(14, request.GetProperty("no_of_images").GetInt32());
    }

    [Fact]
    public async Task Restart_command_restarts_one_worker()
    {
        var before = await RunningWorkersAsync();
        var restarted = before.Keys.Order().First();

        var result = await host.App.ResourceCommands.ExecuteCommandAsync(restarted, KnownResourceCommands.RestartCommand);

        Assert.True(result.Success, result.Message);
        await host.Notifications.WaitForResourceAsync(
            "worker", change => change.ResourceId == restarted && change.Snapshot.State?.Text == KnownResourceStates.Running
                && Pid(change) is { } pid && pid != before[restarted]);
        var after = await RunningWorkersAsync();
        Assert.All(before.Where(worker => worker.Key != restarted), worker => Assert.Equal(worker.Value, after[worker.Key]));
    }

    /// <summary>The process ids of the two workers, by resource id.</summary>
    private async Task<Dictionary<string, string?>> RunningWorkersAsync()
    {
        var running = new Dictionary<string, string?>();
        // The stream starts with the current state of every resource.
        await foreach (var change in host.Notifications.WatchAsync())
        {
            if (change.Resource.Name == "worker" && change.Snapshot.State?.Text == KnownResourceStates.Running)
                running[change.ResourceId] = Pid(change);
            if (running.Count == 2)
                break;
        }

        return running;
    }

    private static string? Pid(ResourceEvent change) =>
        change.Snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value?.ToString();
}
