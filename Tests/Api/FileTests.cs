using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Darkroom.Tests.Api;

public sealed class FileTests : ApiTest
{
    [Fact]
    public async Task The_input_is_given_back_byte_for_byte()
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
    public async Task A_hostile_file_name_cannot_leave_its_header(string given, string kept)
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
    public async Task There_is_no_output_before_there_is_one()
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
    public async Task The_output_is_served_also_while_a_retry_runs()
    {
        var id = await Alice.AcceptedAsync();
        await Api.Objects.PutAsync($"requests/{id}/output-1-1.csv", "the output"u8.ToArray(), "text/csv", CancellationToken.None);
        await Api.EndAsync(id, "completed_with_errors", withOutput: true);
        await Api.ExecuteAsync("update csv_data_table set status = 'processing', run = 2, finished_at = null, processing_percentage = 0 where id = @id", id);

        using var response = await Alice.GetAsync($"/v1/requests/{id}/output.csv");

        Assert.Equal("the output", await response.Content.ReadAsStringAsync());
        Assert.Equal("products-output.csv", response.Content.Headers.ContentDisposition?.FileName);
        Assert.EndsWith("/output.csv", (await Alice.GetJsonAsync($"/v1/requests/{id}")).GetProperty("links").GetProperty("output_csv").GetString(), StringComparison.Ordinal);
    }
}
