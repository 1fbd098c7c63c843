using System.Net;

namespace Darkroom.Tests.Api;

public sealed class LifecycleTests : ApiTest
{
    [Fact]
    public async Task A_request_is_cancelled_once_and_again()
    {
        var id = await Alice.AcceptedAsync();

        for (var i = 0; i < 2; i++)
        {
            using var response = await Alice.PostAsync($"/v1/requests/{id}/cancel", null);
            Assert.Equal("cancelled", (await response.JsonAsync()).GetProperty("status").GetString());
            Assert.NotNull(response.Headers.ETag);
        }

        Assert.Equal(1, await Api.CountAsync("workflow_instances where sub_status = 'Cancelled'"));
    }

    [Fact]
    public async Task An_ended_request_is_not_cancelled()
    {
        var id = await Alice.AcceptedAsync();
        await Api.EndAsync(id, "failed", withOutput: false);

        using var response = await Alice.PostAsync($"/v1/requests/{id}/cancel", null);

        await response.AssertProblemAsync(HttpStatusCode.Conflict, "request_ended");
    }

    [Fact]
    public async Task A_request_with_errors_is_retried_and_any_other_is_not()
    {
        var id = await Alice.AcceptedAsync();
        using (var early = await Alice.PostAsync($"/v1/requests/{id}/retry", null))
            await early.AssertProblemAsync(HttpStatusCode.Conflict, "not_retryable");
        await Api.LoadAsync(id);
        await Api.ProgressAsync(id);
        await Api.EndAsync(id, "completed_with_errors", withOutput: true);

        using var response = await Alice.PostAsync($"/v1/requests/{id}/retry", null);

        var request = await response.JsonAsync();
        Assert.Equal("processing", request.GetProperty("status").GetString());
        Assert.Equal(2, request.GetProperty("run").GetInt32());
        Assert.Equal(0, request.GetProperty("images").GetProperty("failed").GetInt32());
        // Whoever follows by revision learns that the failed image waits again.
        Assert.Equal(1, await Api.CountAsync("images i join csv_data_table r on r.id = i.request_id and r.revision = i.revision where i.run = 2"));
        using var again = await Alice.PostAsync($"/v1/requests/{id}/retry", null);
        await again.AssertProblemAsync(HttpStatusCode.Conflict, "not_retryable");
    }
}
