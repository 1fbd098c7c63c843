using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Processes;
using Darkroom.AppHost.Storage;
using Darkroom.Storage;
using Darkroom.Tests.AppHost;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Webhooks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Tests.EndToEnd;

/// <summary>What happens when the machine loses power: every process is gone at once, and the next start continues the work.</summary>
public sealed class AppHostCrashTests
{
    [Fact]
    public async Task Three_hundred_images_survive_a_crash_of_the_whole_host()
    {
        using var folder = new TemporaryFolder();
        await using var images = await ImageServer.StartAsync();
        await using var webhooks = await WebhookReceiver.StartAsync();
        var environment = DarkroomSystem.ShortTimeouts.ToDictionary(
            setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value);
        // Links written before the crash must still work after it, so the ports are fixed.
        string[] settings = [$"--Ports:Api={FreePort.Find()}", $"--Ports:S3={FreePort.Find()}", "--Dashboard=false"];

        await using var first = AppHostProcess.Start(folder.Path, environment, settings);
        var before = await first.HealthyAsync();
        using var client = new DarkroomClient(before.Api, before.Key!);
        var secret = await client.RotateWebhookSecretAsync();
        var run = await LargeRun.StartAsync(client, images, webhooks);
        await run.ReachAsync(100);
        first.Kill();
        await first.ExitCodeAsync();

        // Immediately, while leftover processes still hold ports and data.
        await using var second = AppHostProcess.Start(folder.Path, environment, settings);
        var after = await second.HealthyAsync(since: before);
        Assert.DoesNotContain(before.Children, ProcessTable.IsRunning);
        Assert.Equal(before.Api, after.Api);
        await using var database = NpgsqlDataSource.Create(after.ConnectionStrings["darkroom"]);
        var connection = S3ConnectionString.Parse(after.ConnectionStrings["s3"]);
        using var s3 = S3ClientFactory.Create(connection, new ObjectStoreOptions());
        var store = new ObjectStore(s3, connection, TimeProvider.System, Options.Create(new ObjectStoreOptions()));

        // The client may still hold a connection to the killed API.
        await client.IsReadyAsync();
        await run.CheckAsync(database, store, secret);

        second.Terminate();
        Assert.Equal(0, await second.ExitCodeAsync());
        Assert.All(after.Children, pid => Assert.False(ProcessTable.IsRunning(pid), $"Process {pid} is still running."));
    }
}
