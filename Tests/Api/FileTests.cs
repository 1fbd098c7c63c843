using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Darkroom.Tests.Api;

public sealed class FileTests : ApiTest
{
    [Fact]
    public async Task The_input_is_returned_byte_for_byte()
    {
        var csv = Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("S. No.;Product Name;Input Image Urls\r7;Stuhl;https://images.test/ä.jpg")).ToArray();
        using var file = new ByteArrayContent(csv);
        file.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        using var accepted = await Alice.UploadAsync(file);
        var id = (await accepted.JsonAsync(HttpStatusCode.Accepted)).GetProperty("id").GetGuid();

        using var response = await Alice.GetAsync($"/v1/requests/{id}/input.csv");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(csv, await response.Content.ReadAsByteArrayAsync());
        Assert.Equal("text/csv", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(csv.Length, response.Content.Headers.ContentLength);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal($"{id}.csv", response.Content.Headers.ContentDisposition?.FileName);

        using var again = new HttpRequestMessage(HttpMethod.Get, $"/v1/requests/{id}/input.csv");
        again.Headers.IfNoneMatch.Add(response.Headers.ETag!);
        using var unchanged = await Alice.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Theory]
    [InlineData("plain.csv", "plain.csv")]
    [InlineData("Möbel 2026.csv", "Möbel 2026.csv")]
    [InlineData("a\\\"; filename=evil.html", "a\"; filename=evil.html")]
    [InlineData("..\\..\\x.csv", "x.csv")]
    public async Task A_hostile_file_name_cannot_break_out_of_its_header(string given, string kept)
    {
        using var form = new ByteArrayContent(Encoding.UTF8.GetBytes(
            $"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{given}\"\r\n\r\n{ApiClient.GoodCsv}\r\n--b--\r\n"));
        form.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        using var accepted = await Alice.UploadAsync(form);
        var id = (await accepted.JsonAsync(HttpStatusCode.Accepted)).GetProperty("id").GetGuid();

        using var response = await Alice.GetAsync($"/v1/requests/{id}/input.csv");

        var disposition = response.Content.Headers.ContentDisposition!;
        Assert.Equal("attachment", disposition.DispositionType);
        Assert.Equal(kept, disposition.FileNameStar);
        Assert.Equal(2, disposition.Parameters.Count);
    }

    [Fact]
    public async Task The_output_is_409_until_it_exists()
    {
        var id = await Alice.AcceptedAsync();
        using (var early = await Alice.GetAsync($"/v1/requests/{id}/output.csv"))
        {
            await early.AssertProblemAsync(HttpStatusCode.Conflict, "output_not_ready");
            Assert.NotNull(early.Headers.RetryAfter?.Delta);
        }

        await Api.EndAsync(id, "failed", withOutput: false);
        using var never = await Alice.GetAsync($"/v1/requests/{id}/output.csv");
        await never.AssertProblemAsync(HttpStatusCode.Conflict, "no_output");
        Assert.Null(never.Headers.RetryAfter);
    }

    [Fact]
    public async Task The_output_is_still_served_while_a_retry_runs()
    {
        var id = await WithOutputAsync("the output");
        await Api.ExecuteAsync("update csv_data_table set status = 'processing', run = 2, finished_at = null, processing_percentage = 0 where id = @id", id);

        using var response = await Alice.GetAsync($"/v1/requests/{id}/output.csv");

        Assert.Equal("the output", await response.Content.ReadAsStringAsync());
        Assert.Equal("products-output.csv", response.Content.Headers.ContentDisposition?.FileName);
        Assert.EndsWith("/output.csv", (await Alice.GetJsonAsync($"/v1/requests/{id}")).GetProperty("links").GetProperty("output_csv").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("input.csv")]
    [InlineData("output.csv")]
    public async Task HEAD_returns_the_headers_of_GET_without_reading_the_file(string file)
    {
        var path = $"/v1/requests/{await WithOutputAsync("the output")}/{file}";
        using var whole = await Alice.GetAsync(path);
        var reads = 0;
        S3.BeforeRequest = context =>
        {
            if (HttpMethods.IsGet(context.Request.Method))
                reads++;
            return Task.CompletedTask;
        };

        using var head = await Alice.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(Headers(whole), Headers(head));
        Assert.Equal(0, reads);
    }

    [Fact]
    public async Task HEAD_returns_the_status_of_GET()
    {
        var id = await Alice.AcceptedAsync();

        using var early = await Alice.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/v1/requests/{id}/output.csv"));
        using var unknown = await Alice.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/v1/requests/{Guid.NewGuid()}/input.csv"));
        using var foreign = await Bob.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/v1/requests/{id}/input.csv"));

        Assert.Equal(
            (HttpStatusCode.Conflict, HttpStatusCode.NotFound, HttpStatusCode.NotFound), (early.StatusCode, unknown.StatusCode, foreign.StatusCode));
    }

    [Theory]
    [InlineData("bytes=0-2", "the", "bytes 0-2/10")]
    [InlineData("bytes=4-", "output", "bytes 4-9/10")]
    [InlineData("bytes=-6", "output", "bytes 4-9/10")]
    [InlineData("bytes=4-999", "output", "bytes 4-9/10")]
    [InlineData("bytes=-999", "the output", "bytes 0-9/10")]
    public async Task Only_the_requested_range_is_read_from_storage(string range, string part, string place)
    {
        var id = await WithOutputAsync("the output");
        var asked = new List<string>();
        S3.BeforeRequest = context =>
        {
            if (HttpMethods.IsGet(context.Request.Method))
                asked.Add(context.Request.Headers.Range.ToString());
            return Task.CompletedTask;
        };

        using var response = await GetAsync(id, range);

        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal(part, await response.Content.ReadAsStringAsync());
        Assert.Equal((place, part.Length), (response.Content.Headers.ContentRange?.ToString(), (int)response.Content.Headers.ContentLength!));
        Assert.Equal([place.Split('/')[0].Replace(' ', '=')], asked);
    }

    [Theory]
    [InlineData("bytes=10-")]
    [InlineData("bytes=-0")]
    public async Task A_range_beyond_the_end_is_rejected_with_the_length_of_the_file(string range)
    {
        using var response = await GetAsync(await WithOutputAsync("the output"), range);

        await response.AssertProblemAsync(HttpStatusCode.RequestedRangeNotSatisfiable, "range_not_satisfiable");
        Assert.Equal("bytes */10", response.Content.Headers.ContentRange?.ToString());
        Assert.Null(response.Content.Headers.ContentDisposition);
    }

    [Theory]
    [InlineData("bytes=0-2,4-5")]
    [InlineData("bytes=5-2")]
    [InlineData("bytes=x-")]
    [InlineData("lines=0-2")]
    public async Task An_unsupported_range_returns_the_whole_file(string range)
    {
        using var response = await GetAsync(await WithOutputAsync("the output"), range);

        Assert.Equal((HttpStatusCode.OK, "the output"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal(["bytes"], response.Headers.AcceptRanges);
    }

    [Theory]
    [InlineData("\"output-1-1\"", HttpStatusCode.PartialContent)]
    [InlineData("\"output-1-2\"", HttpStatusCode.OK)]
    [InlineData("W/\"output-1-1\"", HttpStatusCode.OK)]
    [InlineData("Fri, 31 Dec 2100 23:59:59 GMT", HttpStatusCode.OK)]
    [InlineData("nonsense", HttpStatusCode.OK)]
    public async Task A_download_resumes_only_if_the_file_is_unchanged(string condition, HttpStatusCode expected)
    {
        using var response = await GetAsync(await WithOutputAsync("the output"), "bytes=4-", ("If-Range", condition));

        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK ? "the output" : "output", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("\"output-1-2\", \"output-1-1\"", HttpStatusCode.PartialContent)]
    [InlineData("*", HttpStatusCode.PartialContent)]
    [InlineData("\"output-1-2\"", HttpStatusCode.PreconditionFailed)]
    public async Task If_Match_with_another_etag_is_412(string expected, HttpStatusCode status)
    {
        using var response = await GetAsync(await WithOutputAsync("the output"), "bytes=4-", ("If-Match", expected));

        if (status == HttpStatusCode.PreconditionFailed)
            await response.AssertProblemAsync(status, "another_file");
        else
            Assert.Equal((status, "output"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
    }

    private async Task<Guid> WithOutputAsync(string output)
    {
        var id = await Alice.AcceptedAsync();
        await Api.Objects.PutAsync($"requests/{id}/output-1-1.csv", Encoding.UTF8.GetBytes(output), "text/csv", CancellationToken.None);
        await Api.EndAsync(id, "completed_with_errors", withOutput: true);
        return id;
    }

    private async Task<HttpResponseMessage> GetAsync(Guid id, string range, params (string Name, string Value)[] conditions)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/requests/{id}/output.csv");
        request.Headers.TryAddWithoutValidation("Range", range);
        foreach (var (name, value) in conditions)
            request.Headers.TryAddWithoutValidation(name, value);
        return await Alice.SendAsync(request);
    }

    /// <summary>All headers. Two change from one call to the next, whatever it asks for: of them, only that they are there.</summary>
    private static IEnumerable<string> Headers(HttpResponseMessage response) =>
        response.Headers.Concat(response.Content.Headers)
            .Select(header => header.Key is "Date" or "RateLimit" ? header.Key : $"{header.Key}: {string.Join(", ", header.Value)}")
            .Order();
}
