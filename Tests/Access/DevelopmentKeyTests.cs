using System.Net;
using Darkroom.Access;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Access;

public sealed class DevelopmentKeyTests
{
    [Fact]
    public async Task The_configured_key_has_every_scope_in_development_and_survives_a_restart()
    {
        await using var database = await TestDatabase.CreateAsync();
        var key = ApiKeyText.Generate();
        for (var start = 0; start < 2; start++)
        {
            await using var api = await AccessApi.StartAsync(database, "Development", key);
            using var response = await api.GetAsync("/edit", $"Bearer {key}");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var listed = Assert.Single(await api.Keys.ListAsync(null, default));
            Assert.Equal("development", listed.OwnerName);
        }
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public async Task The_configured_key_is_ignored_outside_development(string environment)
    {
        await using var database = await TestDatabase.CreateAsync();
        var key = ApiKeyText.Generate();
        await using var api = await AccessApi.StartAsync(database, environment, key);

        using var response = await api.GetAsync("/who", $"Bearer {key}");

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Contains(api.Log.Lines, line => line.Contains("keys create --owner NAME", StringComparison.Ordinal));
    }
}
