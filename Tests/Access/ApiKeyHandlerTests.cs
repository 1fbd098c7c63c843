using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Darkroom.Access;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Access;

public sealed class ApiKeyHandlerTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private AccessApi _api = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _api = await AccessApi.StartAsync(_database);
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("ApiKey")]
    [InlineData("bearer")]
    public async Task A_key_is_accepted_under_either_scheme_and_identifies_its_owner(string scheme)
    {
        var key = await _api.Keys.CreateAsync("acme", "ci", [Scopes.Requests], default);

        using var response = await _api.GetAsync("/who", $"{scheme} {key.Text}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(key.Key.Owner.ToString(), await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(null, "key_required")]
    [InlineData("", "key_required")]
    [InlineData("Basic dXNlcjpwYXNz", "key_required")]
    [InlineData("Bearer", "key_required")]
    [InlineData("Bearer nonsense", "invalid_key")]
    [InlineData("Bearer dk_unknown_0123456789012345678901234567890123456789012", "invalid_key")]
    public async Task Without_a_valid_key_the_response_is_a_401_problem_that_names_the_schemes(string? authorization, string code)
    {
        using var response = await _api.GetAsync("/who", authorization);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(code, await CodeAsync(response));
        Assert.Equal(["Bearer", "ApiKey"], response.Headers.WwwAuthenticate.Select(challenge => challenge.Scheme));
    }

    [Fact]
    public async Task A_key_without_the_scope_gets_403_and_the_response_names_the_scope()
    {
        var key = await _api.Keys.CreateAsync("acme", "ci", [Scopes.Requests], default);

        using var response = await _api.GetAsync("/edit", $"Bearer {key.Text}");

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("insufficient_scope", await CodeAsync(response));
        Assert.Contains("scope=\"workflows:edit\"", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Scopes.Admin, "/who,/read,/edit")]
    [InlineData(Scopes.WorkflowsEdit, "/read,/edit")]
    [InlineData(Scopes.WorkflowsRead, "/read")]
    [InlineData(Scopes.Requests, "/who")]
    public async Task A_scope_allows_what_it_covers_and_nothing_else(string scope, string open)
    {
        var key = await _api.Keys.CreateAsync("acme", "ci", [scope], default);

        foreach (var path in new[] { "/who", "/read", "/edit" })
        {
            using var response = await _api.GetAsync(path, $"Bearer {key.Text}");
            Assert.Equal(open.Split(',').Contains(path) ? HttpStatusCode.OK : HttpStatusCode.Forbidden, response.StatusCode);
        }
    }

    [Fact]
    public async Task A_revoked_key_gets_401()
    {
        var key = await _api.Keys.CreateAsync("acme", "ci", [Scopes.Requests], default);
        using var before = await _api.GetAsync("/who", $"Bearer {key.Text}");
        await _api.Keys.RevokeAsync(key.Key.Prefix, default);

        using var after = await _api.GetAsync("/who", $"Bearer {key.Text}");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (before.StatusCode, after.StatusCode));
    }

    [Fact]
    public async Task Bad_keys_are_limited_after_twenty_while_every_valid_key_from_the_same_address_works()
    {
        var used = await _api.Keys.CreateAsync("acme", "used", [Scopes.Requests], default);
        using var before = await _api.GetAsync("/who", $"Bearer {used.Text}");
        var statuses = new ConcurrentBag<HttpStatusCode>();
        var bad = Enumerable.Range(0, 10_000).Select(_ => ApiKeyText.Generate());
        var started = Stopwatch.GetTimestamp();

        await Parallel.ForEachAsync(bad, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (text, _) =>
        {
            using var response = await _api.GetAsync("/who", $"Bearer {text}");
            statuses.Add(response.StatusCode);
        });
        using var limited = await _api.GetAsync("/who", $"Bearer {ApiKeyText.Generate()}");
        using var after = await _api.GetAsync("/who", $"Bearer {used.Text}");
        var unused = await _api.Keys.CreateAsync("acme", "unused", [Scopes.Requests], default);
        using var first = await _api.GetAsync("/who", $"Bearer {unused.Text}");
        using var open = await _api.GetAsync("/open");

        // Whenever a window ends meanwhile, the next one begins.
        var windows = 2 + (int)(Stopwatch.GetElapsedTime(started) / BadKeyLimiter.Window);
        Assert.InRange(statuses.Count(status => status == HttpStatusCode.Unauthorized), 20, 20 * windows);
        Assert.Equal(10_000, statuses.Count(status => status is HttpStatusCode.Unauthorized or HttpStatusCode.TooManyRequests));
        Assert.Equal("too_many_bad_keys", await CodeAsync(limited));
        Assert.InRange(limited.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Assert.All(new[] { before, after, first, open }, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
    }

    [Fact]
    public async Task A_key_under_attack_from_elsewhere_cannot_be_locked_out_by_its_public_prefix()
    {
        var good = await _api.Keys.CreateAsync("acme", "ci", [Scopes.Requests], default);
        for (var i = 0; i < 15; i++)
        {
            using var bad = await _api.GetAsync("/who", $"Bearer dk_{good.Key.Prefix}_{new string('a', 42)}{(char)('a' + i)}");
            Assert.Equal(HttpStatusCode.Unauthorized, bad.StatusCode);
        }

        using var response = await _api.GetAsync("/who", $"Bearer {good.Text}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task No_key_is_ever_logged()
    {
        var good = await _api.Keys.CreateAsync("acme", "ci", [Scopes.Requests], default);
        var bad = ApiKeyText.Generate();
        using (await _api.GetAsync("/who", $"Bearer {good.Text}"))
        {
        }
        using (await _api.GetAsync("/who", $"Bearer {bad}"))
        {
        }
        using (await _api.GetAsync("/edit", $"ApiKey {good.Text}"))
        {
        }

        Assert.Contains(_api.Log.Lines, line => line.Contains(ApiKeyText.Prefix(bad)!, StringComparison.Ordinal));
        Assert.DoesNotContain(_api.Log.Lines, line => line.Contains(good.Text[^43..], StringComparison.Ordinal));
        Assert.DoesNotContain(_api.Log.Lines, line => line.Contains(bad[^43..], StringComparison.Ordinal));
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage response)
    {
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return problem.RootElement.GetProperty("code").GetString();
    }
}
