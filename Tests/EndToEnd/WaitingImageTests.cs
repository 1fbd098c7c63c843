using System.Net;
using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using StackExchange.Redis;

namespace Darkroom.Tests.EndToEnd;

public sealed class WaitingImageTests
{
    [Fact]
    public async Task Waiting_for_a_busy_host_uses_up_no_attempt()
    {
        await using var system = await DarkroomSystem.StartAsync(
            settings:
            [
                ("Egress:ConnectionsPerHost", "1"), ("Egress:HostWait", "00:00:00.1"), ("Egress:Headers", "00:01:00"),
                ("Egress:Total", "00:02:00"), ("ImageWork:MaxRetryDelay", "00:00:00.2"),
            ]);
        system.Images.CloseGate();
        var request = await system.Client.UploadAsync(ProductCsv.Of([.. Enumerable.Range(1, 3).Select(i => (IReadOnlyList<string>)[system.Images.Gated(i)])]));

        // More claims than the three attempts that an image has.
        await Eventually.GetAsync(
            async () => (long)(await system.Database.DataSource.Sql("select coalesce(max(fence), 0) from images").ExecuteScalarAsync())!,
            claims => claims >= 6, "An image is claimed again and again");
        system.Images.OpenGate();

        var end = await request.EndAsync();
        Assert.Equal("completed", end.GetProperty("status").GetString());
        Assert.Equal(1L, (long)(await system.Database.DataSource.Sql("select max(attempts)::bigint from images").ExecuteScalarAsync())!);
    }

    [Fact]
    public async Task Queued_images_of_a_cancelled_request_leave_Redis()
    {
        await using var system = await DarkroomSystem.StartAsync(settings: [("ImageWork:Concurrency", "2")]);
        system.Images.CloseGate();
        var urls = Enumerable.Range(0, 20).Select(system.Images.Gated).ToList();
        var request = await system.Client.UploadAsync(ProductCsv.Of(urls));
        await system.Images.RequestedAsync(urls[0], 1);
        await system.Images.RequestedAsync(urls[1], 1);
        var redis = (await system.Redis.ConnectAsync()).GetDatabase();
        await Eventually.GetAsync(() => QueuedAsync(redis), queued => queued == 18, "The rest waits in Redis");

        Assert.Equal(HttpStatusCode.OK, await request.CancelAsync());

        await Eventually.GetAsync(() => QueuedAsync(redis), queued => queued == 0, "Nothing waits in Redis");
    }

    private static Task<long> QueuedAsync(IDatabase redis) => redis.HashLengthAsync("{darkroom}:images:queue");
}
