using System.Net;
using System.Text.RegularExpressions;

namespace Darkroom.Tests.Api;

public sealed partial class TenantIsolationTests : ApiTest
{
    public static TheoryData<string, string> Endpoints => new()
    {
        { "GET", "" },
        { "GET", "/images" },
        { "GET", "/images?state=nonsense&cursor=nonsense&limit=nonsense" },
        { "GET", "/input.csv" },
        { "GET", "/output.csv" },
        { "POST", "/cancel" },
        { "POST", "/retry" },
    };

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Another_owners_request_gets_the_same_response_as_an_unknown_one(string method, string suffix)
    {
        var id = await Alice.AcceptedAsync();
        await Api.LoadAsync(id);
        var before = await Alice.GetJsonAsync($"/v1/requests/{id}");

        var anothers = await AskAsync(id.ToString());
        var unknown = await AskAsync(Guid.NewGuid().ToString());
        var malformed = await AskAsync("no-id");

        Assert.Equal(unknown, anothers);
        Assert.Equal(unknown, malformed);
        Assert.Equal(before.GetRawText(), (await Alice.GetJsonAsync($"/v1/requests/{id}")).GetRawText());

        async Task<string> AskAsync(string request)
        {
            using var message = new HttpRequestMessage(new HttpMethod(method), $"/v1/requests/{request}{suffix}");
            using var response = await Bob.SendAsync(message);
            await response.AssertProblemAsync(HttpStatusCode.NotFound, "request_not_found");
            return TraceId().Replace(await response.Content.ReadAsStringAsync(), "");
        }
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Without_a_key_the_response_does_not_reveal_whether_a_request_exists(string method, string suffix)
    {
        var id = await Alice.AcceptedAsync();
        foreach (var request in new[] { id, Guid.NewGuid() })
        {
            using var message = new HttpRequestMessage(new HttpMethod(method), $"/v1/requests/{request}{suffix}");
            using var response = await Api.Anonymous.SendAsync(message);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    [Fact]
    public async Task A_list_contains_only_the_callers_requests()
    {
        await Alice.AcceptedAsync();
        var own = await Bob.AcceptedAsync();

        var items = (await Bob.GetJsonAsync("/v1/requests")).GetProperty("items").EnumerateArray();

        Assert.Equal(own, Assert.Single(items).GetProperty("id").GetGuid());
    }

    [Fact]
    public async Task Another_owners_cursor_reveals_nothing()
    {
        for (var i = 0; i < 2; i++)
            await Alice.AcceptedAsync();
        var cursor = (await Alice.GetJsonAsync("/v1/requests?limit=1")).GetProperty("next_cursor").GetString();

        Assert.Empty((await Bob.GetJsonAsync($"/v1/requests?cursor={cursor}")).GetProperty("items").EnumerateArray());
    }

    [GeneratedRegex("\"traceId\":\"[^\"]*\"")]
    private static partial Regex TraceId();
}
