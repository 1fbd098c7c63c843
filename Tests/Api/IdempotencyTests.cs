using System.Net;
using System.Text;
using Darkroom.Data;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Api;

public sealed class IdempotencyTests : ApiTest
{
    protected override string[] Settings => ["Upload:MaxConcurrent=64", "Upload:MaxConcurrentPerOwner=64"];

    [Fact]
    public async Task Fifty_concurrent_uploads_with_one_key_create_one_request()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 50)
            .Select(_ => Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "same")));

        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.Conflict, $"Got {answer.StatusCode}"));
        var bodies = await Task.WhenAll(answers.Where(a => a.StatusCode == HttpStatusCode.Accepted).Select(a => a.Content.ReadAsStringAsync()));
        Assert.NotEmpty(bodies);
        Assert.Single(bodies.Distinct());
        foreach (var conflict in answers.Where(a => a.StatusCode == HttpStatusCode.Conflict))
        {
            await conflict.AssertProblemAsync(HttpStatusCode.Conflict, "idempotency_key_in_flight");
            Assert.NotNull(conflict.Headers.RetryAfter?.Delta);
        }

        Assert.Equal(1, await Api.CountAsync("csv_data_table"));
        Assert.Equal(1, await Api.CountAsync("workflow_instances"));
        Assert.Equal(0, await Api.CountAsync("uploads"));
        Assert.Single(await Api.KeysAsync());
        foreach (var answer in answers)
            answer.Dispose();
    }

    [Fact]
    public async Task Repeating_an_upload_returns_the_identical_response_even_after_the_request_has_progressed()
    {
        using var first = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv), ("webhook_url", "https://hooks.test/")), key: "k");
        var text = await first.Content.ReadAsStringAsync();
        await Database.DataSource.Sql("update csv_data_table set status = 'processing', revision = 7").ExecuteNonQueryAsync();

        // Field order and field aliases do not make it a different upload.
        using var again = await Alice.UploadAsync(ApiClient.Form(("callback_url", "https://hooks.test/"), ("file", ApiClient.GoodCsv)), key: "k");

        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        Assert.Equal(text, await again.Content.ReadAsStringAsync());
        Assert.Equal(first.Headers.Location, again.Headers.Location);
        Assert.Equal(first.Content.Headers.ContentType, again.Content.Headers.ContentType);
        Assert.Equal(first.Headers.RetryAfter, again.Headers.RetryAfter);
        Assert.Equal(1, await Api.CountAsync("csv_data_table"));
        Assert.Single(await Api.KeysAsync());
    }

    [Fact]
    public async Task A_different_upload_with_a_used_key_is_422()
    {
        await AcceptAsync("k", ("file", ApiClient.GoodCsv));

        await RefuseAsync("k", ("file", ApiClient.GoodCsv + "3,Lamp,https://images.test/3.jpg\n"));
        await RefuseAsync("k", ("file", ApiClient.GoodCsv), ("webhook_url", "https://hooks.test/"));
        await RefuseAsync("k", ("file", ApiClient.GoodCsv), ("workflow", "image-compression"));
        Assert.Equal(1, await Api.CountAsync("csv_data_table"));

        async Task RefuseAsync(string key, params (string, string)[] parts)
        {
            using var response = await Alice.UploadAsync(ApiClient.Form(parts), key);
            await response.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "idempotency_key_reused");
        }
    }

    [Fact]
    public async Task A_rejected_upload_frees_its_key()
    {
        using var refused = await Alice.UploadAsync(ApiClient.Form(("file", "nonsense")), key: "k");
        await refused.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid_csv");

        await AcceptAsync("k", ("file", ApiClient.GoodCsv));
    }

    [Fact]
    public async Task A_key_in_flight_is_409_and_free_again_when_the_upload_is_aborted()
    {
        using var slow = new PausedCsv();
        using var disconnect = new CancellationTokenSource();
        var first = Alice.UploadAsync(slow.Content, key: "k", cancellationToken: disconnect.Token);
        await slow.Sent;
        await Eventually.TrueAsync(async () => await Api.CountAsync("uploads") == 1);

        using (var second = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k"))
        {
            await second.AssertProblemAsync(HttpStatusCode.Conflict, "idempotency_key_in_flight");
            Assert.NotNull(second.Headers.RetryAfter?.Delta);
        }

        await disconnect.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Eventually.TrueAsync(async () => await Api.CountAsync("uploads") == 0);
        await AcceptAsync("k", ("file", ApiClient.GoodCsv));
    }

    [Fact]
    public async Task Two_owners_can_use_the_same_key()
    {
        using var alices = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k");
        using var bobs = await Bob.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)), key: "k");

        Assert.NotEqual(
            (await alices.JsonAsync(HttpStatusCode.Accepted)).GetProperty("id").GetGuid(),
            (await bobs.JsonAsync(HttpStatusCode.Accepted)).GetProperty("id").GetGuid());
    }

    [Fact]
    public async Task An_invalid_key_is_400()
    {
        foreach (var key in new[] { "", new string('x', 256), "caf\u00e9" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/requests") { Content = ApiClient.Csv(ApiClient.GoodCsv) };
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
            using var raw = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 }) { BaseAddress = Api.Address };
            request.Headers.Authorization = Alice.DefaultRequestHeaders.Authorization;
            using var response = await raw.SendAsync(request);
            await response.AssertProblemAsync(HttpStatusCode.BadRequest, "invalid_idempotency_key");
        }
    }

    private async Task AcceptAsync(string key, params (string, string)[] parts)
    {
        using var response = await Alice.UploadAsync(ApiClient.Form(parts), key);
        await response.JsonAsync(HttpStatusCode.Accepted);
    }
}
