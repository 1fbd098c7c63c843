using Darkroom.Access;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Api;

/// <summary>Clients that ask before they send a body: <c>Expect: 100-continue</c>.</summary>
public sealed class ExpectContinueTests : ApiTest
{
    protected override string[] Settings => ["Access:BadKeysPerPrefix=1"];

    [Theory]
    [InlineData(401, "POST /v1/requests", "Content-Type: text/csv")]
    [InlineData(404, "POST /v1/nothing", "Content-Type: text/csv")]
    [InlineData(405, "PUT /v1/requests", "Content-Type: text/csv")]
    [InlineData(413, "POST /v1/requests", "Content-Type: text/csv", "AUTHORIZED", "Content-Length: 99999999999")]
    [InlineData(415, "POST /v1/requests", "Content-Type: image/png", "AUTHORIZED")]
    [InlineData(400, "POST /v1/requests", "Content-Type: text/csv", "AUTHORIZED", "Idempotency-Key: \u00e9")]
    [InlineData(422, "POST /v1/requests?webhook_url=ftp%3A%2F%2Fx", "Content-Type: text/csv", "AUTHORIZED")]
    [InlineData(401, "POST /elsa/api/workflow-definitions", "Content-Type: application/json")]
    public async Task A_refusal_before_the_body_is_sent_closes_the_connection(int status, string request, params string[] headers)
    {
        var head = await AskAsync(request, headers);

        Assert.StartsWith($"HTTP/1.1 {status} ", head[0], StringComparison.Ordinal);
        Assert.Contains("Connection: close", head);
    }

    [Fact]
    public async Task A_refusal_for_too_many_bad_keys_closes_the_connection()
    {
        var header = $"Authorization: Bearer {ApiKeyText.Generate()}";
        await AskAsync("POST /v1/requests", header);

        var head = await AskAsync("POST /v1/requests", header);

        Assert.StartsWith("HTTP/1.1 429 ", head[0], StringComparison.Ordinal);
        Assert.Contains("Connection: close", head);
    }

    [Fact]
    public async Task A_body_that_the_server_asks_for_leaves_the_connection_open()
    {
        using var connection = await RawHttp.ConnectAsync(Api.Address);
        // The line break after the CSV counts too.
        await connection.SendAsync(Request("POST /v1/requests", $"Content-Length: {ApiClient.GoodCsv.Length + 2}", "Content-Type: text/csv", "AUTHORIZED"));
        Assert.Equal(["HTTP/1.1 100 Continue"], await connection.ReadHeadAsync());

        await connection.SendAsync(ApiClient.GoodCsv);
        var head = await connection.ReadHeadAsync();

        Assert.StartsWith("HTTP/1.1 202 ", head[0], StringComparison.Ordinal);
        Assert.DoesNotContain("Connection: close", head);
    }

    private async Task<List<string>> AskAsync(string request, params string[] headers)
    {
        using var connection = await RawHttp.ConnectAsync(Api.Address);
        string[] length = headers.Any(header => header.StartsWith("Content-Length", StringComparison.Ordinal)) ? [] : ["Content-Length: 1000"];
        await connection.SendAsync(Request(request, [.. length, .. headers]));
        return await connection.ReadHeadAsync();
    }

    /// <summary>The lines of a request's head. <c>AUTHORIZED</c> stands for Alice's key.</summary>
    private string[] Request(string request, params string[] headers) =>
    [
        $"{request} HTTP/1.1", "Host: darkroom.test", "Expect: 100-continue",
        .. headers.Select(header => header == "AUTHORIZED" ? $"Authorization: {Alice.DefaultRequestHeaders.Authorization}" : header), "",
    ];
}
