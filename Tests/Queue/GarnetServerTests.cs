using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Redis;
using StackExchange.Redis;

namespace Darkroom.Tests.Queue;

public sealed class GarnetServerTests
{
    [Fact]
    public async Task Client_without_the_password_is_rejected()
    {
        using var server = GarnetServer.Start(password: "open-sesame");
        await using var invited = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        await invited.GetDatabase().PingAsync();

        await Assert.ThrowsAsync<RedisConnectionException>(() => ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{server.Port}"));
    }

    [Fact]
    public async Task Servers_that_pick_their_own_ports_do_not_collide()
    {
        using var one = GarnetServer.Start();
        using var other = GarnetServer.Start();
        await using var client = await ConnectionMultiplexer.ConnectAsync(one.ConnectionString);
        await client.GetDatabase().StringSetAsync("key", "value");

        await using var stranger = await ConnectionMultiplexer.ConnectAsync(other.ConnectionString);
        Assert.False(await stranger.GetDatabase().KeyExistsAsync("key"));
    }
}
