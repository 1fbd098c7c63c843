using System.Net;
using System.Text.Json;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>
/// An accepted request as its owner sees it. Every status read asserts that the percentage has not fallen within the run and is not 100
/// before the end.
/// </summary>
internal sealed class SubmittedRequest(DarkroomClient client, string id)
{
    private (int Run, int Percentage) _last;

    public string Id => id;

    /// <summary>The request in the API's answer to an upload.</summary>
    public static async Task<SubmittedRequest> FromAsync(DarkroomClient client, HttpResponseMessage accepted) =>
        new(client, JsonDocument.Parse(await accepted.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString()!);

    /// <summary>Reads the status, retrying while the API returns 503 because the database is unavailable.</summary>
    public async Task<JsonElement> StatusAsync()
    {
        using var response = await Eventually.GetAsync(
            () => client.Http.GetAsync($"/v1/requests/{id}"), answer => answer.StatusCode != HttpStatusCode.ServiceUnavailable,
            "The API answers again");
        response.EnsureSuccessStatusCode();
        var status = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Check(status);
        return status;
    }

    /// <summary>Whether the API tells the status. If not, it must answer 503 and say when to ask again.</summary>
    public async Task<bool> IsAvailableAsync()
    {
        using var response = await client.Http.GetAsync($"/v1/requests/{id}");
        Assert.True(
            response is { StatusCode: HttpStatusCode.OK } or { StatusCode: HttpStatusCode.ServiceUnavailable, Headers.RetryAfter: not null },
            $"{response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        return response.StatusCode == HttpStatusCode.OK;
    }

    /// <summary>Waits until the run ends and returns the status.</summary>
    public Task<JsonElement> EndAsync(TimeSpan? timeout = null) =>
        Eventually.GetAsync(StatusAsync, HasEnded, $"Request {id} ends", timeout);

    /// <summary>Waits until this many images have an outcome.</summary>
    public Task ReachAsync(int images) =>
        Eventually.GetAsync(
            async () => Finished(await StatusAsync()), finished => finished >= images, $"{images} images of {id} end");

    public Task<string> OutputAsync() => client.Http.GetStringAsync($"/v1/requests/{id}/output.csv");

    public async Task<IReadOnlyList<OutputRow>> OutputRowsAsync() => ProductCsv.ReadOutput(await OutputAsync());

    public async Task<HttpStatusCode> OutputStatusAsync()
    {
        using var response = await client.Http.GetAsync($"/v1/requests/{id}/output.csv");
        return response.StatusCode;
    }

    public async Task<HttpStatusCode> CancelAsync()
    {
        using var response = await client.Http.PostAsync($"/v1/requests/{id}/cancel", null);
        return response.StatusCode;
    }

    public async Task RetryAsync()
    {
        using var response = await client.Http.PostAsync($"/v1/requests/{id}/retry", null);
        response.EnsureSuccessStatusCode();
    }

    public static bool HasEnded(JsonElement status) =>
        status.GetProperty("status").GetString() is "completed" or "completed_with_errors" or "failed" or "cancelled";

    private static int Finished(JsonElement status)
    {
        var images = status.GetProperty("images");
        return images.GetProperty("succeeded").GetInt32() + images.GetProperty("failed").GetInt32();
    }

    private void Check(JsonElement status)
    {
        var run = status.GetProperty("run").GetInt32();
        var percentage = status.GetProperty("processing_percentage").GetInt32();
        Assert.True(run > _last.Run || percentage >= _last.Percentage, $"The percentage fell from {_last.Percentage} to {percentage}.");
        if (!HasEnded(status))
            Assert.True(percentage < 100, "100 % before the end.");
        _last = (run, percentage);
    }
}
