using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Storage;
using Darkroom.Tests.Engine;

namespace Darkroom.Tests.Runs;

/// <summary>An instance that cannot go on ends, whatever keeps it from going on. Outages do not count.</summary>
public sealed class InstanceAttemptTests
{
    [Fact]
    public async Task An_activity_that_cannot_be_resumed_gets_as_many_attempts_as_one_that_cannot_be_executed()
    {
        var attempts = 0;
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Suspended("{}"))
            {
                Resume = () =>
                {
                    attempts++;
                    throw new IOException("Never works.");
                },
            },
            Completing("Test.Second"));
        var request = await rig.RequestAsync(TwoSteps);
        var process = await rig.ProcessAsync();
        await process.RunAllAsync();
        await WakeAsync(rig);

        await RunUntilEndAsync(rig, process, rounds: 10);

        Assert.Equal(("failed", "activity_failed"), await rig.StatusAsync(request));
        Assert.Equal(rig.Options.ActivityAttempts, attempts);
    }

    [Fact]
    public async Task A_failed_attempt_to_resume_is_repeated_and_the_workflow_goes_on()
    {
        var attempts = 0;
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Suspended("{}"))
            {
                Resume = () => ++attempts < 3 ? throw new IOException("Not yet.") : new ActivityResult.Completed(),
            },
            Completing("Test.Second"));
        await rig.RequestAsync(TwoSteps);
        var process = await rig.ProcessAsync();
        await process.RunAllAsync();
        await WakeAsync(rig);

        await RunUntilEndAsync(rig, process, rounds: 10);

        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
        Assert.Equal(3, attempts);
    }

    [Fact]
    public async Task A_failed_attempt_keeps_what_came_before_it()
    {
        var runs = 0;
        var attempts = 0;
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ =>
            {
                runs++;
                return new ActivityResult.Completed();
            })
            {
                HasNoEffect = true,
            },
            new ScriptedActivity("Test.Second", _ => ++attempts < 3 ? throw new IOException("Not yet.") : new ActivityResult.Completed()));
        await rig.RequestAsync(TwoSteps);

        await RunUntilEndAsync(rig, await rig.ProcessAsync(), rounds: 10);

        Assert.Equal((1, 3), (runs, attempts));
        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
    }

    [Fact]
    public async Task An_instance_that_keeps_ending_its_process_is_faulted()
    {
        await using var rig = await EngineRig.StartAsync(Completing("Test.First"), Completing("Test.Second"));
        var request = await rig.RequestAsync(TwoSteps);
        for (var death = 0; death < rig.Options.MaxAttempts; death++)
            await DieWithInstanceAsync(rig);

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(("failed", "process_crashed"), await rig.StatusAsync(request));
        Assert.Empty(await rig.JournalAsync());
    }

    [Fact]
    public async Task Deaths_with_a_completed_step_between_them_do_not_add_up()
    {
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Suspended("{}")), Completing("Test.Second"));
        await rig.RequestAsync(TwoSteps);
        for (var death = 1; death < rig.Options.MaxAttempts; death++)
            await DieWithInstanceAsync(rig);
        await (await rig.ProcessAsync()).RunAllAsync();
        await WakeAsync(rig);
        for (var death = 1; death < rig.Options.MaxAttempts; death++)
            await DieWithInstanceAsync(rig);

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
    }

    [Fact]
    public async Task An_instance_that_keeps_failing_outside_its_activities_is_faulted()
    {
        await using var rig = await EngineRig.StartAsync(Completing("Test.First"), Completing("Test.Second"));
        var request = await rig.RequestAsync(TwoSteps);
        await rig.Database.DataSource.Sql(
                "alter table workflow_instances add constraint no_start check (not (state ->> 'started')::boolean or status = 'Finished')")
            .ExecuteNonQueryAsync();

        await RunUntilEndAsync(rig, await rig.ProcessAsync(), rounds: rig.Options.MaxAttempts);

        Assert.Equal(("failed", "internal_error"), await rig.StatusAsync(request));
    }

    [Fact]
    public async Task An_instance_with_an_unreadable_state_ends_at_once_and_blocks_no_other()
    {
        await using var rig = await EngineRig.StartAsync(Completing("Test.First"), Completing("Test.Second"));
        var request = await rig.RequestAsync(TwoSteps);
        await rig.Database.DataSource.Sql("""update workflow_instances set state = '{"started": "perhaps"}'""").ExecuteNonQueryAsync();
        var other = await rig.RequestAsync(TwoSteps);

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(("failed", "unreadable_state"), await rig.StatusAsync(request));
        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
        Assert.NotEqual("processing", (await rig.StatusAsync(other)).Status);
    }

    [Fact]
    public async Task An_outage_of_the_object_store_uses_up_no_attempt()
    {
        var attempts = 0;
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity(
                "Test.First", _ => ++attempts <= 20 ? throw new StorageUnavailableException("It is away.") : new ActivityResult.Completed()),
            Completing("Test.Second"));
        await rig.RequestAsync(TwoSteps);

        await RunUntilEndAsync(rig, await rig.ProcessAsync(), rounds: 21);

        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
    }

    private static WorkflowJson TwoSteps => WorkflowRunnerTests.TwoSteps;

    private static ScriptedActivity Completing(string type) => new(type, _ => new ActivityResult.Completed());

    private static async Task RunUntilEndAsync(EngineRig rig, EngineProcess process, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            await rig.SkipDelaysAsync();
            await process.RunAllAsync();
        }
    }

    private static async Task DieWithInstanceAsync(EngineRig rig)
    {
        var process = await rig.ProcessAsync();
        await process.Instances.FreeAbandonedAsync(default);
        Assert.NotNull(await process.Instances.ClaimNextAsync(default));
        await rig.DeclareDeadAsync(process);
    }

    private static async Task WakeAsync(EngineRig rig) =>
        await rig.Database.DataSource.Sql("insert into resumptions (bookmark_id, instance_id, input) select id, instance_id, '{}' from bookmarks")
            .ExecuteNonQueryAsync();
}
