using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Darkroom.Tests.Api;

/// <summary>Calls to the API, one method each.</summary>
internal static class ApiClient
{
    public const string GoodCsv =
        """
        S. No.,Product Name,Input Image Urls
        1,Chair,"https://images.test/1a.jpg,https://images.test/1b.jpg"
        2,Table,https://images.test/2.png

        """;

    public static StringContent Csv(string text, string type = "text/csv") => new(text, Encoding.UTF8, type);

    /// <summary>A multipart form with these parts, in this order; the part <c>file</c> is the CSV.</summary>
    public static MultipartFormDataContent Form(params (string Name, string Value)[] parts)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, value) in parts)
        {
            if (name == "file")
                form.Add(File(value), "file", "products.csv");
            else
                form.Add(new StringContent(value), name);
        }

        return form;
    }

    public static ByteArrayContent File(string text, string type = "text/csv")
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return content;
    }

    public static async Task<HttpResponseMessage> UploadAsync(
        this HttpClient client, HttpContent content, string? key = null, string query = "", CancellationToken cancellationToken = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/requests" + query) { Content = content };
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        return await client.SendAsync(request, cancellationToken);
    }

    /// <summary>Uploads a valid CSV and returns the new request's id.</summary>
    public static async Task<Guid> AcceptedAsync(this HttpClient client, string csv = GoodCsv)
    {
        using var response = await client.UploadAsync(Form(("file", csv)));
        var body = await response.JsonAsync(HttpStatusCode.Accepted);
        return body.GetProperty("id").GetGuid();
    }

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"Expected {(int)expected}, got {(int)response.StatusCode}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    public static async Task<JsonElement> GetJsonAsync(this HttpClient client, string path)
    {
        using var response = await client.GetAsync(path);
        return await response.JsonAsync();
    }

    /// <summary>Asserts that the response is a problem document with this status and code.</summary>
    public static async Task<JsonElement> AssertProblemAsync(this HttpResponseMessage response, HttpStatusCode status, string code)
    {
        var problem = await response.JsonAsync(status);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        Assert.False(string.IsNullOrEmpty(problem.GetProperty("title").GetString()));
        Assert.False(string.IsNullOrEmpty(problem.GetProperty("traceId").GetString()));
        Assert.True(response.Headers.CacheControl?.NoStore);
        return problem;
    }
}
