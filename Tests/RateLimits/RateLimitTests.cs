using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Darkroom.Access;
using Darkroom.Tests.Api;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Tests.RateLimits;

/// <summary>What the limit looks like from outside: five calls at once, then one every ten minutes.</summary>
public sealed partial class RateLimitTests : ApiTest
{
    private const int Burst = 5;

    // A bucket that gets no token during a test.
    protected override string[] Settings => ["RateLimit:RequestsPerMinute=1", $"RateLimit:Burst={Burst}"];

    [Fact]
    public async Task Every_response_says_how_many_calls_are_left_and_the_one_too_many_is_a_429_problem()
    {
        for (var left = Burst - 1; left >= 0; left--)
        {
            using var response = await Alice.GetAsync("/v1/requests");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal($"\"default\";q={Burst};w={Burst * 60}", Header(response, "RateLimit-Policy"));
            Assert.Equal(left, Left(response));
        }

        using var refused = await Alice.GetAsync("/v1/requests");

        await refused.AssertProblemAsync(HttpStatusCode.TooManyRequests, "rate_limit_exceeded");
        Assert.Equal(0, Left(refused));
        var wait = refused.Headers.RetryAfter!.Delta!.Value;
        Assert.InRange(wait, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Assert.Equal(wait, TimeSpan.FromSeconds(int.Parse(Limit().Match(Header(refused, "RateLimit")).Groups["t"].Value, CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Another_key_is_not_touched_even_of_the_same_owner()
    {
        await ExhaustAsync(Alice);
        using var second = await Api.ClientAsync("alice");

        using var own = await second.GetAsync("/v1/requests");
        using var other = await Bob.GetAsync("/v1/requests");

        Assert.Equal((HttpStatusCode.OK, Burst - 1), (own.StatusCode, Left(own)));
        Assert.Equal((HttpStatusCode.OK, Burst - 1), (other.StatusCode, Left(other)));
    }

    [Fact]
    public async Task Refusals_errors_and_unknown_addresses_count_too()
    {
        var statuses = new List<HttpStatusCode>();
        var left = new List<int>();
        foreach (var path in new[] { "/v1/requests/none", "/v1/nothing", "/elsa/api/workflow-definitions", "/v1/requests?limit=0" })
        {
            using var response = await Alice.GetAsync(path);
            statuses.Add(response.StatusCode);
            left.Add(Left(response));
        }

        Assert.Equal([HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.Forbidden, HttpStatusCode.BadRequest], statuses);
        Assert.Equal([4, 3, 2, 1], left);
    }

    [Fact]
    public async Task A_call_that_fails_unexpectedly_says_how_many_calls_are_left()
    {
        await Database.DataSource.CreateCommand("drop table csv_data_table cascade").ExecuteNonQueryAsync();

        using var response = await Alice.GetAsync("/v1/requests");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal(Burst - 1, Left(response));
    }

    [Fact]
    public async Task What_is_open_to_everyone_is_not_counted_with_or_without_a_key()
    {
        await ExhaustAsync(Alice);

        foreach (var client in new[] { Alice, Api.Anonymous })
            foreach (var path in new[] { "/health", "/alive", "/", "/pages/app.js", "/openapi/v1.json", "/studio/sign-in", "/i/1/AAAA" })
            {
                using var response = await client.GetAsync(path);
                Assert.NotEqual(HttpStatusCode.TooManyRequests, response.StatusCode);
                Assert.False(response.Headers.Contains("RateLimit"));
            }
    }

    [Fact]
    public async Task Without_a_valid_key_there_is_nothing_to_count()
    {
        using var anonymous = await Api.Anonymous.GetAsync("/v1/requests");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/requests") { Headers = { Authorization = new("Bearer", ApiKeyText.Generate()) } };
        using var bad = await Api.Anonymous.SendAsync(request);

        Assert.All([anonymous, bad], response =>
        {
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.False(response.Headers.Contains("RateLimit"));
        });
    }

    [Fact]
    public async Task A_Studio_session_counts_towards_its_key_and_can_always_sign_out()
    {
        using var editor = await Api.ClientAsync("carol", Scopes.WorkflowsEdit);
        using var signIn = await editor.PostAsync("/studio/session", null);
        using var browser = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = Api.Address };
        browser.DefaultRequestHeaders.Add("Cookie", signIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        browser.DefaultRequestHeaders.Add("Sec-Fetch-Site", "same-origin");

        using var first = await browser.GetAsync("/elsa/api/workflow-definitions");
        using var second = await editor.GetAsync("/elsa/api/workflow-definitions");
        using var negotiated = await browser.PostAsync("/elsa/hubs/workflow-instance/negotiate?negotiateVersion=1", null);
        using var third = await browser.GetAsync("/studio/session");
        using var refused = await browser.GetAsync("/elsa/api/workflow-definitions");
        using var signOut = await browser.DeleteAsync("/studio/session");

        Assert.Equal([4, 3, 2, 1, 0], new[] { signIn, first, second, negotiated, third }.Select(Left));
        await refused.AssertProblemAsync(HttpStatusCode.TooManyRequests, "rate_limit_exceeded");
        Assert.Equal(HttpStatusCode.NoContent, signOut.StatusCode);
    }

    [Fact]
    public async Task An_upload_beyond_the_limit_is_refused_before_its_body_is_read_and_leaves_nothing()
    {
        await ExhaustAsync(Alice);

        using var response = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k");

        await response.AssertProblemAsync(HttpStatusCode.TooManyRequests, "rate_limit_exceeded");
        await Api.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task The_limit_can_be_turned_off()
    {
        await using var api = await TestApi.StartAsync(Database.ConnectionString, S3.ConnectionString, [.. Settings, "RateLimit:Enabled=false"]);
        using var client = await api.ClientAsync();

        for (var i = 0; i < 3 * Burst; i++)
        {
            using var response = await client.GetAsync("/v1/requests");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.False(response.Headers.Contains("RateLimit"));
        }
    }

    [Fact]
    public async Task The_reference_describes_the_limit_wherever_a_key_is_needed()
    {
        var paths = (await Api.Anonymous.GetJsonAsync("/openapi/v1.json")).GetProperty("paths");

        var operations = paths.EnumerateObject().Where(path => path.Name.StartsWith("/v1/", StringComparison.Ordinal))
            .SelectMany(path => path.Value.EnumerateObject()).Select(operation => operation.Value.GetProperty("responses")).ToList();
        Assert.InRange(operations.Count, 10, 50);
        Assert.All(operations, responses =>
        {
            Assert.True(responses.GetProperty("429").GetProperty("content").TryGetProperty("application/problem+json", out _));
            Assert.True(responses.EnumerateObject().First(response => response.Name[0] == '2').Value.GetProperty("headers").TryGetProperty("RateLimit", out _));
        });
    }

    private static async Task ExhaustAsync(HttpClient client)
    {
        for (var i = 0; i < Burst; i++)
        {
            using var response = await client.GetAsync("/v1/requests");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    private static string Header(HttpResponseMessage response, string name) => Assert.Single(response.Headers.GetValues(name));

    private static int Left(HttpResponseMessage response)
    {
        var match = Limit().Match(Header(response, "RateLimit"));
        Assert.True(match.Success, Header(response, "RateLimit"));
        return int.Parse(match.Groups["r"].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("""\A"default";r=(?<r>\d+);t=(?<t>\d+)\z""")]
    private static partial Regex Limit();
}
