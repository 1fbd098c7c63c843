using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Runs;
using Darkroom.Tests.Engine;

namespace Darkroom.Tests.Runs;

/// <summary>However many requests an owner has, the workflows of others go on.</summary>
public sealed class InstanceShareTests
{
    [Fact]
    public async Task Owners_take_turns_however_many_instances_one_of_them_has()
    {
        await using var rig = await StartAsync();
        var crowd = await RequestsOfOneOwnerAsync(rig, 3);
        var (bob, carol) = (await rig.RequestAsync(WorkflowRunnerTests.TwoSteps), await rig.RequestAsync(WorkflowRunnerTests.TwoSteps));
        var (first, second) = (await rig.ProcessAsync(), await rig.ProcessAsync());

        var claimed = new List<RequestId>();
        for (var i = 0; i < 5; i++)
            claimed.Add((await (i % 2 == 0 ? first : second).Instances.ClaimNextAsync(default))!.RequestId);

        Assert.Equal<RequestId>([crowd[0], bob, carol, crowd[1], crowd[2]], claimed);
        Assert.Null(await first.Instances.ClaimNextAsync(default));
    }

    [Fact]
    public async Task The_last_quarter_of_the_places_is_for_other_owners()
    {
        await using var rig = await StartAsync();
        rig.Options.Concurrency = 4;
        await RequestsOfOneOwnerAsync(rig, 5);
        var process = await rig.ProcessAsync();
        var claimed = new List<WorkflowInstance>();
        for (var i = 0; i < 3; i++)
            claimed.Add((await process.Instances.ClaimNextAsync(default))!);

        Assert.Null(await process.Instances.ClaimNextAsync(default));
        // Or the process would look for work that it may not claim again and again.
        Assert.Null(await process.Instances.NextReadyAsync(default));
        Assert.NotNull(await (await rig.ProcessAsync()).Instances.ClaimNextAsync(default));

        var bob = await rig.RequestAsync(WorkflowRunnerTests.TwoSteps);
        Assert.Equal(bob, (await process.Instances.ClaimNextAsync(default))?.RequestId);
        process.Instances.Forget(claimed[0]);
        Assert.NotNull(await process.Instances.ClaimNextAsync(default));
    }

    /// <summary>Whatever the statistics say: backlogs grow faster than they are taken.</summary>
    [Fact]
    public async Task A_claim_reads_little_of_a_backlog()
    {
        await using var rig = await StartAsync();
        await RequestsOfOneOwnerAsync(rig, 20);
        var process = await rig.ProcessAsync();
        await process.RunAllAsync();
        await rig.Database.DataSource.Sql("vacuum analyze workflow_instances").ExecuteNonQueryAsync();
        await rig.Database.DataSource.Sql(
                """
                insert into workflow_instances (id, request_id, run, definition_id, definition_version_id, version, document_sha256, state, sub_status, fence, owner)
                select gen_random_uuid(), request_id, run + n, definition_id, definition_version_id, version, document_sha256, state,
                       case when n <= 5 then 'Executing' else 'Pending' end, 1, case when n <= 5 then gen_random_uuid() end
                from workflow_instances, generate_series(1, 200) n
                """)
            .ExecuteNonQueryAsync();
        var before = await rig.Database.RowsReadAsync("workflow_instances");

        Assert.NotNull(await process.Instances.ClaimNextAsync(default));

        Assert.InRange(await rig.Database.RowsReadAsync("workflow_instances") - before, 1, 500);
    }

    private static Task<EngineRig> StartAsync() => EngineRig.StartAsync(
        new ScriptedActivity("Test.First", _ => new ActivityResult.Completed()), new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));

    private static async Task<List<RequestId>> RequestsOfOneOwnerAsync(EngineRig rig, int count)
    {
        var requests = new List<RequestId>();
        for (var i = 0; i < count; i++)
            requests.Add(await rig.RequestAsync(WorkflowRunnerTests.TwoSteps));
        foreach (var table in (string[])["csv_data_table", "workflow_instances"])
            await rig.Database.DataSource.Sql($"update {table} set owner_id = (select owner_id from csv_data_table where id = @first)")
                .With("first", requests[0].Value)
                .ExecuteNonQueryAsync();
        return requests;
    }
}
