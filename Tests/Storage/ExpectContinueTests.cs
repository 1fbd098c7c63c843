using Amazon.S3;
using Amazon.S3.Model;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Storage;

/// <summary>The AWS SDKs ask before they send an object: <c>Expect: 100-continue</c>.</summary>
public sealed class ExpectContinueTests
{
    [Theory]
    [InlineData("PUT /darkroom/key", "403 Forbidden")]
    [InlineData("PUT /darkroom/key?acl", "403 Forbidden")]
    public async Task A_refusal_before_the_object_is_sent_closes_the_connection(string request, string status)
    {
        await using var s3 = await TestS3.StartAsync();
        using var connection = await RawHttp.ConnectAsync(s3.Url);

        await connection.SendAsync($"{request} HTTP/1.1", $"Host: {s3.Url.Authority}", "Expect: 100-continue", "Content-Length: 1000", "");
        var head = await connection.ReadHeadAsync();

        Assert.Equal($"HTTP/1.1 {status}", head[0]);
        Assert.Contains("Connection: close", head);
    }

    [Fact]
    public async Task An_object_that_the_endpoint_asks_for_leaves_the_connection_open()
    {
        await using var s3 = await TestS3.StartAsync();
        var url = new Uri(s3.CreateClient().GetPreSignedURL(new GetPreSignedUrlRequest
        {
            BucketName = "darkroom",
            Key = "key",
            Verb = HttpVerb.PUT,
            Protocol = Protocol.HTTP,
            Expires = TimeProvider.System.GetUtcNow().AddMinutes(5).UtcDateTime,
        }));
        using var connection = await RawHttp.ConnectAsync(s3.Url);

        await connection.SendAsync($"PUT {url.PathAndQuery} HTTP/1.1", $"Host: {s3.Url.Authority}", "Expect: 100-continue", "Content-Length: 8", "");
        Assert.Equal(["HTTP/1.1 100 Continue"], await connection.ReadHeadAsync());
        await connection.SendAsync("object");
        var head = await connection.ReadHeadAsync();

        Assert.Equal("HTTP/1.1 200 OK", head[0]);
        Assert.DoesNotContain("Connection: close", head);
    }
}
