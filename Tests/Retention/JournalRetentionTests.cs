using Darkroom.Access;
using Darkroom.Retention;
using Darkroom.Tests.Api;
using Darkroom.Tests.Elsa.Instances;
using Darkroom.Tests.Infrastructure;
using Darkroom.Worker.Instances;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Retention;

public sealed class JournalRetentionTests : ApiTest
{
    [Fact]
    public async Task Journals_of_old_runs_are_removed_and_requests_and_newer_journals_stay()
    {
        var (request, old) = await Api.FinishedAsync(Alice);
        var (_, recent) = await Api.FinishedAsync(Alice);
        var running = await Api.InstanceOfAsync(await Alice.AcceptedAsync());
        await Api.ExecuteAsync("update workflow_instances set finished_at = now() - interval '31 days' where id = @id", old);
        var before = await Alice.GetJsonAsync($"/v1/requests/{request}");

        // A batch size of one, so that several batches are needed.
        await RunAsync(new RetentionOptions { JournalAge = TimeSpan.FromDays(30), Batch = 1 }, async () =>
            await Api.CountAsync($"workflow_instances where id = '{old}' and journal_removed_at is not null") == 1);

        Assert.Equal(0, await Api.CountAsync($"activity_executions where instance_id = '{old}'"));
        Assert.Equal(0, await Api.CountAsync($"fan_out_counts where instance_id = '{old}'"));
        Assert.Equal(0, await Api.CountAsync($"images where request_id = '{request}' and journal is not null"));
        Assert.Equal(1, await Api.CountAsync($"images where request_id = '{request}' and error_code = 'not_found'"));
        Assert.Equal(1, await Api.CountAsync($"activity_executions where instance_id = '{recent}'"));
        Assert.Equal(2, await Api.CountAsync($"workflow_instances where id in ('{recent}', '{running}') and journal_removed_at is null"));
        Assert.Equal(before.GetRawText(), (await Alice.GetJsonAsync($"/v1/requests/{request}")).GetRawText());

        using var viewer = await Api.ClientAsync("alice", Scopes.WorkflowsRead);
        var shown = await viewer.ElsaAsync($"/workflow-instances/{old}");
        Assert.True(shown.GetProperty("workflowState").GetProperty("properties").TryGetProperty("JournalRemovedAt", out _));
        Assert.Equal("Workflow1", Assert.Single(await viewer.JournalAsync(old.ToString())).Text("activityId"));
    }

    [Fact]
    public async Task Without_a_journal_age_every_journal_stays()
    {
        var (_, old) = await Api.FinishedAsync(Alice);
        await Api.ExecuteAsync("update workflow_instances set finished_at = now() - interval '10 years' where id = @id", old);
        var service = Service(new RetentionOptions());

        await service.StartAsync(CancellationToken.None);

        // The service has nothing to do and has stopped.
        await service.ExecuteTask!.WaitAsync(Eventually.Patience);
        Assert.Equal(1, await Api.CountAsync("activity_executions"));
    }

    [Fact]
    public async Task Concurrent_removals_are_idempotent()
    {
        var (_, old) = await Api.FinishedAsync(Alice);
        var remover = new InstanceRemover(Database.DataSource);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => remover.RemoveJournalAsync(old, CancellationToken.None)));

        Assert.Equal(0, await Api.CountAsync("activity_executions"));
        Assert.Equal(1, await Api.CountAsync("workflow_instances where journal_removed_at is not null"));
    }

    private async Task RunAsync(RetentionOptions options, Func<Task<bool>> until)
    {
        var service = Service(options);
        await service.StartAsync(CancellationToken.None);
        await Eventually.TrueAsync(until);
        await service.StopAsync(CancellationToken.None);
    }

    private JournalRetentionService Service(RetentionOptions options) => new(
        new InstanceRemover(Database.DataSource), TimeProvider.System, Options.Create(options), NullLogger<JournalRetentionService>.Instance);
}
