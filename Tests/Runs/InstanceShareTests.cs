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
