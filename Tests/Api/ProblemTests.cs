using System.Net;
using System.Text;

namespace Darkroom.Tests.Api;

public sealed class ProblemTests : ApiTest
{
    [Theory]
    [InlineData("GET", "/v1/nothing", HttpStatusCode.NotFound, "not_found")]
    [InlineData("GET", "/v2/requests", HttpStatusCode.NotFound, "not_found")]
    [InlineData("GET", "/v1/requests/no-id", HttpStatusCode.NotFound, "request_not_found")]
    [InlineData("GET", "/v1/requests/00000000-0000-0000-0000-000000000000", HttpStatusCode.NotFound, "request_not_found")]
    [InlineData("GET", "/v1/requests/00000000-0000-0000-0000-000000000000/nothing", HttpStatusCode.NotFound, "not_found")]
    [InlineData("DELETE", "/v1/requests", HttpStatusCode.MethodNotAllowed, "method_not_allowed")]
    [InlineData("PUT", "/v1/requests/00000000-0000-0000-0000-000000000000", HttpStatusCode.MethodNotAllowed, "method_not_allowed")]
    public async Task Every_error_is_a_problem_document(string method, string path, HttpStatusCode status, string code)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        // A browser's Accept header does not change the response.
        request.Headers.TryAddWithoutValidation("Accept", "text/html");

        using var response = await Alice.SendAsync(request);

        await response.AssertProblemAsync(status, code);
        if (status == HttpStatusCode.MethodNotAllowed)
            Assert.NotEmpty(response.Content.Headers.Allow);
    }

    [Fact]
    public async Task Every_response_has_the_security_headers()
    {
        var id = await Alice.AcceptedAsync();
        foreach (var path in new[] { "/", "/health", "/scalar/", "/openapi/v1.json", $"/v1/requests/{id}", "/v1/nothing", $"/v1/requests/{id}/input.csv" })
        {
            using var response = await Alice.GetAsync(path);
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("no-referrer", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
            Assert.Contains("frame-ancestors 'none'", Assert.Single(response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
            Assert.False(response.Headers.Contains("Server"));
        }
    }

    [Fact]
    public async Task The_OpenAPI_document_lists_every_endpoint_and_its_problems()
    {
        var document = await Api.Anonymous.GetJsonAsync("/openapi/v1.json");

        var paths = document.GetProperty("paths");
        foreach (var path in new[] { "", "/{id}", "/{id}/images", "/{id}/input.csv", "/{id}/output.csv", "/{id}/cancel", "/{id}/retry" })
            Assert.True(paths.TryGetProperty("/v1/requests" + path, out _), $"{path} is not described.");
        var upload = paths.GetProperty("/v1/requests").GetProperty("post");
        Assert.True(upload.GetProperty("requestBody").GetProperty("content").TryGetProperty("multipart/form-data", out _));
        Assert.True(upload.GetProperty("responses").TryGetProperty("422", out _));
        Assert.Contains("no_of_products", document.GetProperty("components").GetProperty("schemas").GetProperty("RequestView").GetRawText(), StringComparison.Ordinal);
        foreach (var path in paths.EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
                Assert.False(string.IsNullOrEmpty(operation.Value.GetProperty("summary").GetString()), $"{operation.Name} {path.Name} has no summary.");
        }
    }

    [Fact]
    public async Task The_API_reference_loads_nothing_from_other_origins()
    {
        using var response = await Api.Anonymous.GetAsync("/scalar/");
        var page = await response.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.DoesNotContain("fonts.scalar.com", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("jsdelivr", page, StringComparison.OrdinalIgnoreCase);
        Assert.StartsWith("default-src 'self'", Assert.Single(response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_that_are_too_large_are_rejected()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/requests");
        request.Headers.Add("X-Much", new string('x', 20_000));
        using var response = await Alice.SendAsync(request);
        Assert.Equal((HttpStatusCode)431, response.StatusCode);
    }

    [Fact]
    public async Task The_Host_header_never_appears_in_links()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/requests") { Content = ApiClient.Form(("file", ApiClient.GoodCsv)) };
        request.Headers.Host = "evil.test";
        using var response = await Alice.SendAsync(request);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.DoesNotContain("evil", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("evil", response.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }
}
