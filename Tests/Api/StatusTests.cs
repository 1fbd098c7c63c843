using System.Net;
using System.Text.Json;
using Darkroom.Data;

namespace Darkroom.Tests.Api;

public sealed class StatusTests : ApiTest
{
    [Fact]
    public async Task A_running_request_shows_its_progress()
    {
        var id = await Alice.AcceptedAsync();
        await Api.LoadAsync(id);
        await Api.ProgressAsync(id);

        using var response = await Alice.GetAsync($"/v1/requests/{id}");

        var request = await response.JsonAsync();
        Assert.NotNull(response.Headers.RetryAfter?.Delta);
        Assert.Equal("processing", request.GetProperty("status").GetString());
        Assert.Equal(66, request.GetProperty("processing_percentage").GetInt32());
        Assert.Equal("""{"succeeded":1,"failed":1,"pending":1,"cancelled":0}""", request.GetProperty("images").GetRawText());
        Assert.Equal("""{"in":1000,"out":400,"saved":600}""", request.GetProperty("bytes").GetRawText());
        Assert.Equal(1, request.GetProperty("run").GetInt32());
        Assert.Equal(JsonValueKind.Null, request.GetProperty("error").ValueKind);
        Assert.Equal(JsonValueKind.Null, request.GetProperty("finished_at").ValueKind);
        Assert.True(request.GetProperty("started_at").GetDateTimeOffset() >= request.GetProperty("created_at").GetDateTimeOffset());
    }

    [Fact]
    public async Task A_finished_request_shows_its_error_and_has_no_Retry_After()
    {
        var id = await Alice.AcceptedAsync();
        await Api.EndAsync(id, "failed", withOutput: false);
        await Api.ExecuteAsync("update csv_data_table set error_code = 'too_many_images', error_message = 'Too many.' where id = @id", id);

        using var response = await Alice.GetAsync($"/v1/requests/{id}");

        var request = await response.JsonAsync();
        Assert.Null(response.Headers.RetryAfter);
        Assert.Equal("""{"code":"too_many_images","message":"Too many."}""", request.GetProperty("error").GetRawText());
        Assert.NotEqual(JsonValueKind.Null, request.GetProperty("finished_at").ValueKind);
    }

    [Fact]
    public async Task Unfinished_images_of_a_cancelled_request_are_cancelled()
    {
        var id = await Alice.AcceptedAsync();
        await Api.LoadAsync(id);
        await Api.ProgressAsync(id);
        await Api.EndAsync(id, "cancelled", withOutput: false);

        var request = await Alice.GetJsonAsync($"/v1/requests/{id}");
        Assert.Equal("""{"succeeded":1,"failed":1,"pending":0,"cancelled":1}""", request.GetProperty("images").GetRawText());
        var images = await Alice.GetJsonAsync($"/v1/requests/{id}/images?state=cancelled");
        Assert.Equal("cancelled", Assert.Single(images.GetProperty("items").EnumerateArray()).GetProperty("state").GetString());
        Assert.Empty((await Alice.GetJsonAsync($"/v1/requests/{id}/images?state=pending")).GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task An_unchanged_request_is_304_and_a_changed_one_is_not()
    {
        var id = await Alice.AcceptedAsync();
        using var first = await Alice.GetAsync($"/v1/requests/{id}");
        var tag = first.Headers.ETag!.ToString();

        Assert.Equal(HttpStatusCode.NotModified, await AskAsync(tag));
        Assert.Equal(HttpStatusCode.NotModified, await AskAsync($"\"other\", {tag}"));
        Assert.Equal(HttpStatusCode.NotModified, await AskAsync("*"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync("\"other\""));

        await Api.LoadAsync(id);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(tag));

        async Task<HttpStatusCode> AskAsync(string known)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/requests/{id}");
            request.Headers.TryAddWithoutValidation("If-None-Match", known);
            using var response = await Alice.SendAsync(request);
            if (response.StatusCode == HttpStatusCode.NotModified)
            {
                Assert.Equal(tag, response.Headers.ETag?.ToString());
                Assert.Equal("", await response.Content.ReadAsStringAsync());
            }

            return response.StatusCode;
        }
    }

    [Fact]
    public async Task Requests_are_listed_newest_first_page_by_page()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++)
            ids.Add(await Alice.AcceptedAsync());
        await Bob.AcceptedAsync();
        // Two with the same timestamp: the id breaks the tie, and neither is lost between pages.
        await Database.DataSource.Sql("update csv_data_table set created_at = (select created_at from csv_data_table where id = @a) where id = @b")
            .With("a", ids[1]).With("b", ids[2]).ExecuteNonQueryAsync();

        var seen = new List<Guid>();
        for (var path = "/v1/requests?limit=2"; path is not null;)
        {
            using var response = await Alice.GetAsync(path);
            var page = await response.JsonAsync();
            var items = page.GetProperty("items").EnumerateArray().ToArray();
            Assert.InRange(items.Length, 1, 2);
            seen.AddRange(items.Select(item => item.GetProperty("id").GetGuid()));
            path = NextPage(response, page);
        }

        Assert.Equal(5, seen.Distinct().Count());
        Assert.Equal(ids.Order(), seen.Order());
        Assert.Equal(ids[4], seen[0]);
        Assert.Equal(ids[0], seen[4]);
    }

    [Fact]
    public async Task Images_are_listed_in_the_order_of_the_CSV_page_by_page()
    {
        var id = await Alice.AcceptedAsync();
        await Api.LoadAsync(id);
        await Api.ProgressAsync(id);

        var seen = new List<(int, int, string)>();
        for (var path = $"/v1/requests/{id}/images?limit=1"; path is not null;)
        {
            using var response = await Alice.GetAsync(path);
            var page = await response.JsonAsync();
            var image = Assert.Single(page.GetProperty("items").EnumerateArray());
            seen.Add((image.GetProperty("row").GetInt32(), image.GetProperty("position").GetInt32(), image.GetProperty("state").GetString()!));
            path = NextPage(response, page);
        }

        Assert.Equal([(1, 1, "succeeded"), (1, 2, "failed"), (2, 1, "pending")], seen);
    }

    [Fact]
    public async Task An_image_shows_its_product_and_outcome()
    {
        var id = await Alice.AcceptedAsync();
        await Api.LoadAsync(id);
        await Api.ProgressAsync(id);

        var images = (await Alice.GetJsonAsync($"/v1/requests/{id}/images")).GetProperty("items").EnumerateArray().ToArray();

        Assert.Equal("1", images[0].GetProperty("serial").GetString());
        Assert.Equal("Chair", images[0].GetProperty("product_name").GetString());
        Assert.Equal("https://images.test/1a.jpg", images[0].GetProperty("url").GetString());
        Assert.Equal("""{"type":"image/jpeg","bytes":1000,"width":40,"height":30,"sha256":"01"}""", images[0].GetProperty("original").GetRawText());
        var output = images[0].GetProperty("output");
        Assert.Equal(400, output.GetProperty("bytes").GetInt64());
        Assert.StartsWith($"{TestApi.BaseUrl}/i/", output.GetProperty("url").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, images[0].GetProperty("error").ValueKind);
        Assert.Equal("""{"code":"not_found","message":"The server answered 404."}""", images[1].GetProperty("error").GetRawText());
        Assert.Equal(3, images[1].GetProperty("attempts").GetInt32());
        Assert.Equal(JsonValueKind.Null, images[2].GetProperty("output").ValueKind);
    }

    [Theory]
    [InlineData("succeeded", 1)]
    [InlineData("failed", 1)]
    [InlineData("pending", 1)]
    [InlineData("cancelled", 0)]
    public async Task Images_are_filtered_by_state(string state, int count)
    {
        var id = await Alice.AcceptedAsync();
        await Api.LoadAsync(id);
        await Api.ProgressAsync(id);

        var items = (await Alice.GetJsonAsync($"/v1/requests/{id}/images?state={state}")).GetProperty("items").EnumerateArray().ToArray();

        Assert.Equal(count, items.Length);
        Assert.All(items, item => Assert.Equal(state, item.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task The_link_to_the_next_page_keeps_the_filter()
    {
        var id = await Alice.AcceptedAsync();
        await Api.LoadAsync(id);

        using var response = await Alice.GetAsync($"/v1/requests/{id}/images?state=pending&limit=2");

        var link = Assert.Single(response.Headers.GetValues("Link"));
        Assert.StartsWith($"<{TestApi.BaseUrl}/v1/requests/{id}/images?state=pending&limit=2&cursor=", link, StringComparison.Ordinal);
        Assert.EndsWith(">; rel=\"next\"", link, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("limit=0", "invalid_limit")]
    [InlineData("limit=1001", "invalid_limit")]
    [InlineData("limit=ten", "invalid_limit")]
    [InlineData("cursor=nonsense", "invalid_cursor")]
    [InlineData("cursor=", "invalid_cursor")]
    [InlineData("cursor=AgAAAAAAAAAA", "invalid_cursor")] // The position of an image, with row 0.
    [InlineData("cursor=%00%F0%9F%92%A9", "invalid_cursor")]
    public async Task Bad_paging_is_400(string query, string code)
    {
        var id = await Alice.AcceptedAsync();
        foreach (var path in new[] { "/v1/requests", $"/v1/requests/{id}/images" })
        {
            using var response = await Alice.GetAsync($"{path}?{query}");
            await response.AssertProblemAsync(HttpStatusCode.BadRequest, code);
        }
    }

    [Fact]
    public async Task A_cursor_of_one_list_is_rejected_by_the_other()
    {
        await Alice.AcceptedAsync();
        var id = await Alice.AcceptedAsync();
        var cursor = (await Alice.GetJsonAsync("/v1/requests?limit=1")).GetProperty("next_cursor").GetString();

        using var response = await Alice.GetAsync($"/v1/requests/{id}/images?cursor={cursor}");

        await response.AssertProblemAsync(HttpStatusCode.BadRequest, "invalid_cursor");
    }

    [Fact]
    public async Task An_unknown_state_is_400()
    {
        var id = await Alice.AcceptedAsync();
        using var response = await Alice.GetAsync($"/v1/requests/{id}/images?state=offered");
        await response.AssertProblemAsync(HttpStatusCode.BadRequest, "invalid_state");
    }

    private static string? NextPage(HttpResponseMessage response, JsonElement page)
    {
        var cursor = page.GetProperty("next_cursor").GetString();
        if (cursor is null)
        {
            Assert.False(response.Headers.Contains("Link"));
            return null;
        }

        var link = Assert.Single(response.Headers.GetValues("Link"));
        Assert.Contains(cursor, link, StringComparison.Ordinal);
        return link[(link.IndexOf(TestApi.BaseUrl, StringComparison.Ordinal) + TestApi.BaseUrl.Length)..link.IndexOf('>', StringComparison.Ordinal)];
    }
}
