using System.Net;
using System.Net.Sockets;
using System.Text;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Api;

/// <summary>No owner keeps others from uploading, and no upload goes on for ever.</summary>
public sealed class UploadShareTests : ApiTest
{
    protected override string[] Settings => ["Upload:MaxConcurrent=4", "Upload:MaxConcurrentPerOwner=2", "Upload:MaxDuration=00:00:30"];

    [Fact]
    public async Task An_owner_with_many_uploads_in_progress_keeps_nobody_else_from_uploading()
    {
        using var first = new PausedCsv();
        using var second = new PausedCsv();
        var uploads = new[] { Alice.UploadAsync(first.Content), Alice.UploadAsync(second.Content) };
        await first.Sent;
        await second.Sent;
        await Eventually.TrueAsync(async () => await Api.CountAsync("uploads") == 2);

        using (var refused = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv))))
        {
            await refused.AssertProblemAsync(HttpStatusCode.TooManyRequests, "too_many_uploads");
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        using (var accepted = await Bob.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv))))
            Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        first.Resume();
        second.Resume();
        foreach (var upload in uploads)
        {
            using var response = await upload;
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        }

        using var again = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)));
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
    }

    [Fact]
    public async Task An_upload_that_takes_too_long_is_refused_and_leaves_nothing()
    {
        await using var api = await TestApi.StartAsync(Database.ConnectionString, S3.ConnectionString, "Upload:MaxDuration=00:00:01");
        using var alice = await api.ClientAsync("alice");
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, api.Address.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/requests HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {alice.DefaultRequestHeaders.Authorization}\r\n" +
            "Content-Type: text/csv\r\nContent-Length: 1000\r\n\r\nS. No.,Product Name,Input Image Urls\n"));

        using var reader = new StreamReader(client.GetStream());
        var answer = await reader.ReadToEndAsync().WaitAsync(Eventually.Patience);

        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("upload_timeout", answer, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => await api.CountAsync("uploads") == 0);
        await api.AssertNothingLeftAsync();
    }
}
