using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Darkroom.Access;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Api;

/// <summary>Bodies and names that try to confuse the API.</summary>
public sealed class HostileCallTests : ApiTest
{
    public static TheoryData<string> JsonEndpoints =>
    [
        "/v1/webhooks/endpoints/enable", "/elsa/api/workflow-instances", "/elsa/api/activity-executions/report", "/elsa/api/workflow-definitions",
        "/elsa/api/workflow-definitions/import", "/elsa/api/tests/activities", "/elsa/api/bulk-actions/delete/workflow-definitions/by-id",
    ];

    [Theory]
    [MemberData(nameof(JsonEndpoints))]
    public async Task JSON_that_is_malformed_or_a_hundred_thousand_levels_deep_is_a_400(string path)
    {
        using var client = await Api.ClientAsync("alice", Scopes.Requests, Scopes.WorkflowsEdit);
        string[] bodies =
        [
            new string('[', 100_000), new string('[', 100_000) + new string(']', 100_000),
            string.Concat(Enumerable.Repeat("{\"a\":", 50_000)), string.Concat(Enumerable.Repeat("{\"ids\":[", 30_000)),
            "{", "[1,]", "{\"a\":1,}", "{'a':1}", "{\"a\":NaN}", "{\"a\":01}", "{\"a\":1}x", "{\"a\":\"\t\"}", "\"unclosed", "nul", "{\"a\" 1}", "// c\n{}x", "\u00EF\u00BB\u00BFx",
        ];

        foreach (var body in bodies)
        {
            using var content = new StringContent(body, Encoding.Latin1) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var response = await client.PostAsync(path, content);
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{(int)response.StatusCode} for {body[..Math.Min(body.Length, 40)]}");
        }
    }

    /// <summary>Names of files and products appear in no key, and in no header unescaped.</summary>
    [Fact]
    public async Task Names_that_traverse_folders_or_break_headers_become_neither_keys_nor_headers()
    {
        List<string> names =
        [
            "../../../etc/passwd", "..\\..\\x", "a/b", "/etc/passwd", "C:\\x.csv", "\\\\server\\share", "CON", "aux.csv", ".", "..", "...", "~", "a\0b", "%2e%2e%2f", "%252e%252e%252f",
            "..%c0%af", "..;/", "....//", "a\r\nX-Injected: 1", "a\nb", "a\"; filename*=UTF-8''b", "\u202Egnp.exe", "\uFF0E\uFF0E\uFF0F", "x".PadRight(5_000, 'x'), "a;b", "🙂", "-rf", "$(id)", "`id`",
        ];
        if (HostileCorpus.Folder is not null)
            names.AddRange(File.ReadLines(HostileCorpus.File("strings", "fuzzdb", "traversals-8-deep-exotic-encoding.txt")).Where((_, line) => line % 25 == 0));

        var accepted = 0;
        foreach (var name in names)
        {
            // A loaded machine may be too slow for the time that a call may take; then nothing was changed.
            using var response = await Eventually.GetAsync(
                () => UploadAsync(name), answer => answer.StatusCode != HttpStatusCode.ServiceUnavailable, "The API takes an upload");
            Assert.True(response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity, $"{(int)response.StatusCode} for {name}");
            if (response.StatusCode != HttpStatusCode.Accepted)
                continue;
            accepted++;
            var id = (await response.JsonAsync(HttpStatusCode.Accepted)).GetProperty("id").GetGuid();
            using var input = await Alice.GetAsync($"/v1/requests/{id}/input.csv");
            Assert.Equal(HttpStatusCode.OK, input.StatusCode);
            Assert.False(input.Headers.Contains("X-Injected") || input.Content.Headers.Contains("X-Injected"));
        }

        Assert.InRange(accepted, 15, names.Count);
        Assert.All(await Api.KeysAsync(""), key => Assert.Matches("^[a-z0-9/_-]+\\.(jpg|png|webp|gif|tiff|avif|csv)$", key));
    }

    /// <summary>Uploads a file of this name, with a product of this name.</summary>
    private async Task<HttpResponseMessage> UploadAsync(string name)
    {
        var cell = "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
        using var form = new MultipartFormDataContent { { ApiClient.File($"S. No.,Product Name,Input Image Urls\n1,{cell},https://images.test/1.jpg\n"), "file" } };
        var file = form.Single();
        file.Headers.Remove("Content-Disposition");
        var quoted = name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace('\r', ' ').Replace('\n', ' ').Replace('\0', ' ');
        file.Headers.TryAddWithoutValidation("Content-Disposition", $"form-data; name=\"file\"; filename=\"{quoted}\"; filename*=UTF-8''{Uri.EscapeDataString(name)}");
        return await Alice.UploadAsync(form);
    }
}
