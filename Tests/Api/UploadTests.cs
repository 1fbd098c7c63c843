using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Darkroom.Data;

namespace Darkroom.Tests.Api;

public sealed class UploadTests : ApiTest
{
    protected override string[] Settings => ["Csv:MaxFileBytes=200000"];

    [Fact]
    public async Task A_valid_CSV_is_accepted_with_its_URL_and_status()
    {
        using var response = await Alice.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv), ("webhook_url", "https://hooks.test/done")));

        var request = await response.JsonAsync(HttpStatusCode.Accepted);
        var id = request.GetProperty("id").GetGuid();
        var self = $"{TestApi.BaseUrl}/v1/requests/{id}";
        Assert.Equal(self, response.Headers.Location?.OriginalString);
        Assert.NotNull(response.Headers.RetryAfter?.Delta);
        Assert.Equal("created", request.GetProperty("status").GetString());
        Assert.Equal(0, request.GetProperty("processing_percentage").GetInt32());
        Assert.Equal(2, request.GetProperty("no_of_products").GetInt32());
        Assert.Equal(3, request.GetProperty("no_of_images").GetInt32());
        Assert.Equal(3, request.GetProperty("images").GetProperty("pending").GetInt32());
        Assert.Equal("products.csv", request.GetProperty("file_name").GetString());
        Assert.Equal("https://hooks.test/done", request.GetProperty("webhook_url").GetString());
        Assert.Equal("image-compression", request.GetProperty("workflow").GetProperty("definition_id").GetString());
        Assert.Equal(1, request.GetProperty("workflow").GetProperty("version").GetInt32());
        var links = request.GetProperty("links");
        Assert.Equal(self, links.GetProperty("self").GetString());
        Assert.Equal(self + "/images", links.GetProperty("images").GetString());
        Assert.Equal(self + "/images?state=failed", links.GetProperty("failed_images").GetString());
        Assert.Equal(self + "/input.csv", links.GetProperty("input_csv").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, links.GetProperty("output_csv").ValueKind);
        Assert.Equal(self + "/webhooks", links.GetProperty("webhooks").GetString());

        Assert.Equal(1, await Api.CountAsync("workflow_instances where request_id = '" + id + "'"));
        Assert.Equal(0, await Api.CountAsync("uploads"));
        Assert.Equal([$"requests/{id}/input.csv"], await Api.KeysAsync());
        Assert.Equal(
            SHA256.HashData(Encoding.UTF8.GetBytes(ApiClient.GoodCsv)),
            await Database.DataSource.Sql("select csv_sha256 from csv_data_table").ExecuteScalarAsync());
    }

    [Fact]
    public async Task Fields_may_come_before_or_after_the_file_or_in_the_query_string()
    {
        (string, string) file = ("file", ApiClient.GoodCsv), hook = ("webhook_url", "https://hooks.test/"), workflow = ("workflow", "image-compression");
        using var before = await Alice.UploadAsync(ApiClient.Form(hook, workflow, file));
        using var behind = await Alice.UploadAsync(ApiClient.Form(file, workflow, hook));
        using var alias = await Alice.UploadAsync(ApiClient.Form(file, ("callback_url", "https://hooks.test/"), ("workflow", " ")));
        using var bare = await Alice.UploadAsync(ApiClient.Csv(ApiClient.GoodCsv), query: "?webhook_url=https%3A%2F%2Fhooks.test%2F&workflow=image-compression");

        foreach (var response in new[] { before, behind, alias, bare })
        {
            var request = await response.JsonAsync(HttpStatusCode.Accepted);
            Assert.Equal("https://hooks.test/", request.GetProperty("webhook_url").GetString());
            Assert.Equal("image-compression", request.GetProperty("workflow").GetProperty("definition_id").GetString());
        }
    }

    [Fact]
    public async Task Every_error_of_a_bad_CSV_is_reported_and_nothing_is_stored()
    {
        var csv = new StringBuilder("S. No.,Product Name,Input Image Urls\n");
        for (var row = 1; row <= 150; row++)
            csv.Append(System.Globalization.CultureInfo.InvariantCulture, $"{row},Thing,ftp://images.test/{row}.jpg\n");

        using var response = await Alice.UploadAsync(ApiClient.Form(("file", csv.ToString())));

        var problem = await response.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid_csv");
        Assert.Equal(150, problem.GetProperty("total_errors").GetInt64());
        var errors = problem.GetProperty("errors").EnumerateArray().ToArray();
        Assert.Equal(100, errors.Length);
        Assert.Equal(2, errors[0].GetProperty("line").GetInt64());
        Assert.Equal(3, errors[0].GetProperty("column").GetInt32());
        Assert.Equal("unsupported_scheme", errors[0].GetProperty("code").GetString());
        Assert.Equal("ftp://images.test/1.jpg", errors[0].GetProperty("value").GetString());
        Assert.False(string.IsNullOrEmpty(errors[0].GetProperty("message").GetString()));
        await Api.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task No_row_is_enqueued_before_a_later_row_fails_validation()
    {
        var csv = ApiClient.GoodCsv + "3,Lamp,\n";

        using var response = await Alice.UploadAsync(ApiClient.Form(("file", csv)));

        await response.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "invalid_csv");
        Assert.Equal(0, await Api.CountAsync("products"));
        Assert.Equal(0, await Api.CountAsync("images"));
        await Api.AssertNothingLeftAsync();
    }

    public static TheoryData<string, HttpStatusCode, string> BadForms => new()
    {
        { "", HttpStatusCode.BadRequest, "malformed_form" },
        { Part("webhook_url", "https://hooks.test/") + End, HttpStatusCode.BadRequest, "file_missing" },
        { FilePart("") + End, HttpStatusCode.BadRequest, "empty_file" },
        { FilePart("S. No.,Product Name,Input Image Urls\n1,a,https://x.test/1.jpg"), HttpStatusCode.BadRequest, "malformed_form" },
        { FilePart("x") + FilePart("y") + End, HttpStatusCode.UnprocessableEntity, "invalid_csv" },
        { FilePart(ApiClient.GoodCsv) + FilePart(ApiClient.GoodCsv) + End, HttpStatusCode.BadRequest, "repeated_field" },
        { Part("webhook_ulr", "https://hooks.test/") + FilePart(ApiClient.GoodCsv) + End, HttpStatusCode.BadRequest, "unknown_field" },
        { Part("webhook_url", "https://a.test/") + Part("callback_url", "https://b.test/") + FilePart("x") + End, HttpStatusCode.BadRequest, "repeated_field" },
        { Part("webhook_url", new string('x', 9000)) + FilePart(ApiClient.GoodCsv) + End, HttpStatusCode.BadRequest, "malformed_form" },
        { FilePart(ApiClient.GoodCsv) + Part("webhook_url", "http://hooks.test/") + End, HttpStatusCode.UnprocessableEntity, "invalid_webhook_url" },
        { Part("webhook_url", "https://me:secret@hooks.test/") + FilePart(ApiClient.GoodCsv) + End, HttpStatusCode.UnprocessableEntity, "invalid_webhook_url" },
        { Part("webhook_url", "javascript:alert(1)") + FilePart(ApiClient.GoodCsv) + End, HttpStatusCode.UnprocessableEntity, "invalid_webhook_url" },
        { Part("webhook_url", "https://169.254.169.254/") + FilePart(ApiClient.GoodCsv) + End, HttpStatusCode.UnprocessableEntity, "invalid_webhook_url" },
        { FilePart(ApiClient.GoodCsv) + Part("webhook_url", "https://0x7f.1/") + End, HttpStatusCode.UnprocessableEntity, "invalid_webhook_url" },
        { FilePart(ApiClient.GoodCsv) + Part("workflow", "no-such") + End, HttpStatusCode.UnprocessableEntity, "unknown_workflow" },
        { FilePart(ApiClient.GoodCsv) + Part("workflow", "no\0such") + End, HttpStatusCode.UnprocessableEntity, "unknown_workflow" },
        { FilePart(ApiClient.GoodCsv, "image/png") + End, HttpStatusCode.UnsupportedMediaType, "unsupported_file_type" },
        { FilePart(ApiClient.GoodCsv, "text/csv; charset=shift_jis") + End, HttpStatusCode.UnsupportedMediaType, "unsupported_charset" },
    };

    [Theory]
    [MemberData(nameof(BadForms))]
    public async Task A_bad_form_is_rejected_and_leaves_nothing(string body, HttpStatusCode status, string code)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b0undary");

        using var response = await Alice.UploadAsync(content);

        await response.AssertProblemAsync(status, code);
        await Api.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/zip")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("image/png")]
    public async Task Other_content_types_are_415(string type)
    {
        using var response = await Alice.UploadAsync(ApiClient.File(ApiClient.GoodCsv, type));
        await response.AssertProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported_media_type");
        await Api.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_body_without_a_type_and_a_compressed_one_are_415()
    {
        using var untyped = ApiClient.File(ApiClient.GoodCsv);
        untyped.Headers.ContentType = null;
        using var first = await Alice.UploadAsync(untyped);
        await first.AssertProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported_media_type");

        using var packed = ApiClient.File(ApiClient.GoodCsv);
        packed.Headers.ContentEncoding.Add("gzip");
        using var second = await Alice.UploadAsync(packed);
        await second.AssertProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported_content_encoding");
    }

    [Fact]
    public async Task An_empty_bare_body_is_400()
    {
        using var response = await Alice.UploadAsync(ApiClient.Csv(""));
        await response.AssertProblemAsync(HttpStatusCode.BadRequest, "empty_file");
        await Api.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_form_without_a_boundary_is_400()
    {
        using var content = ApiClient.File("x", "multipart/form-data");
        using var response = await Alice.UploadAsync(content);
        await response.AssertProblemAsync(HttpStatusCode.BadRequest, "malformed_form");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_over_the_limit_is_413_with_or_without_a_content_length(bool chunked)
    {
        var csv = new StringBuilder("S. No.,Product Name,Input Image Urls\n");
        for (var row = 1; csv.Length < 400_000; row++)
            csv.Append(System.Globalization.CultureInfo.InvariantCulture, $"{row},Thing,https://images.test/{row}.jpg\n");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/requests") { Content = ApiClient.Form(("file", csv.ToString())) };
        request.Headers.TransferEncodingChunked = chunked;

        using var response = await Alice.SendAsync(request);

        var problem = await response.AssertProblemAsync(HttpStatusCode.RequestEntityTooLarge, "file_too_large");
        Assert.Equal(200_000, problem.GetProperty("max_bytes").GetInt64());
        await Api.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task An_upload_needs_a_key_with_the_scope()
    {
        using var nobody = await Api.Anonymous.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)));
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
        Assert.Equal("application/problem+json", nobody.Content.Headers.ContentType?.MediaType);
        Assert.NotEmpty(nobody.Headers.WwwAuthenticate);

        using var reader = await Api.ClientAsync("alice", "workflows:read");
        using var forbidden = await reader.UploadAsync(ApiClient.Form(("file", ApiClient.GoodCsv)));
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        Assert.Equal("application/problem+json", forbidden.Content.Headers.ContentType?.MediaType);
        await Api.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_file_name_keeps_neither_path_nor_control_characters()
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(
            $"--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"..\\..\\etc/pro\u0007ducts.csv\"\r\nContent-Type: text/csv\r\n\r\n{ApiClient.GoodCsv}\r\n--b0undary--\r\n"));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b0undary");

        using var response = await Alice.UploadAsync(content);

        var request = await response.JsonAsync(HttpStatusCode.Accepted);
        Assert.Equal("products.csv", request.GetProperty("file_name").GetString());
    }

    private const string End = "--b0undary--\r\n";

    private static string Part(string name, string value) =>
        $"--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n";

    private static string FilePart(string csv, string type = "text/csv") =>
        $"--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"products.csv\"\r\nContent-Type: {type}\r\n\r\n{csv}\r\n";
}
