using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Tests.Engine;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.Runs;

public sealed class WorkflowRunnerTests
{
    internal static readonly WorkflowJson TwoSteps = new WorkflowJson()
        .Activity("first", "Test.First").Activity("second", "Test.Second").Connect("first", "Done", "second");

    [Fact]
    public async Task Activities_run_once_each_in_the_order_of_their_connections()
    {
        var ran = new List<string>();
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", Recorded("first")), new ScriptedActivity("Test.Second", Recorded("second")));
        var request = await rig.RequestAsync(TwoSteps);

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(["first", "second"], ran);
        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
        Assert.Equal("failed", (await rig.StatusAsync(request)).Status);

        Func<WorkflowActivityContext, ActivityResult> Recorded(string name) => _ =>
        {
            ran.Add(name);
            return new ActivityResult.Completed();
        };
    }

    [Fact]
    public async Task Another_process_continues_where_a_dead_one_stopped_and_the_dead_one_changes_nothing_more()
    {
        var firstRuns = 0;
        var secondRuns = 0;
        var inSecond = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ =>
            {
                firstRuns++;
                return new ActivityResult.Completed();
            }),
            new ScriptedActivity("Test.Second", async (context, _) =>
            {
                if (Interlocked.Increment(ref secondRuns) == 1)
                {
                    inSecond.SetResult();
                    await release.Task;
                }

                return new ActivityResult.Completed { Effect = Mark(context) };
            }));
        var request = await rig.RequestAsync(TwoSteps);
        var dying = await rig.ProcessAsync();
        var run = dying.RunAllAsync();
        await inSecond.Task;

        await rig.DeclareDeadAsync(dying);
        await (await rig.ProcessAsync()).RunAllAsync();
        release.SetResult();
        await run;

        Assert.Equal(1, firstRuns);
        Assert.Equal(2, secondRuns);
        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
        var fence = await rig.Database.DataSource.Sql("select file_name from csv_data_table where id = @id").With("id", request.Value).ExecuteScalarAsync();
        Assert.Equal("marked under fence 2", fence);

        static CommitEffect Mark(WorkflowActivityContext context) => (connection, token) =>
            connection.Sql("update csv_data_table set file_name = 'marked under fence ' || @fence where id = @id")
                .With("fence", context.Fence)
                .With("id", context.RequestId.Value)
                .ExecuteNonQueryAsync(token);
    }

    [Fact]
    public async Task What_has_no_effect_is_committed_with_the_next_activity_and_repeated_if_the_process_dies_before()
    {
        var firstRuns = 0;
        var before = new List<List<string>>();
        var inSecond = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        EngineRig rig = null!;
        await using var started = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ =>
            {
                firstRuns++;
                return new ActivityResult.Completed { Outputs = new Dictionary<string, object?> { ["Number"] = firstRuns } };
            })
            {
                HasNoEffect = true,
            },
            new ScriptedActivity("Test.Second", async (_, _) =>
            {
                before.Add([.. await rig.JournalAsync()]);
                if (before.Count == 1)
                {
                    inSecond.SetResult();
                    await release.Task;
                }

                return new ActivityResult.Completed();
            }));
        rig = started;
        await rig.RequestAsync(TwoSteps);
        var dying = await rig.ProcessAsync();
        var run = dying.RunAllAsync();
        await inSecond.Task;

        await rig.DeclareDeadAsync(dying);
        await (await rig.ProcessAsync()).RunAllAsync();
        release.SetResult();
        await run;

        Assert.All(before, Assert.Empty);
        Assert.Equal((2, 2), (firstRuns, before.Count));
        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
    }

    [Fact]
    public async Task A_long_chain_without_effects_is_committed_in_parts()
    {
        const int length = 40;
        var runs = 0;
        var committed = 0;
        EngineRig rig = null!;
        await using var started = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", async (_, _) =>
            {
                if (++runs == length)
                    committed = (await rig.JournalAsync()).Count;
                return new ActivityResult.Completed();
            })
            {
                HasNoEffect = true,
            });
        rig = started;
        var chain = new WorkflowJson();
        for (var i = 0; i < length; i++)
            chain.Activity($"a{i}", "Test.First");
        for (var i = 1; i < length; i++)
            chain.Connect($"a{i - 1}", "Done", $"a{i}");
        await rig.RequestAsync(chain);

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.InRange(committed, length / 2, length - 1);
        Assert.Equal(Enumerable.Range(0, length).Select(i => $"a{i} Completed"), await rig.JournalAsync());
    }

    [Fact]
    public async Task An_instance_whose_claim_response_was_lost_is_claimed_again_by_its_owner()
    {
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Completed()), new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        await rig.RequestAsync(TwoSteps);
        var process = await rig.ProcessAsync();
        await rig.Database.DataSource.Sql("update workflow_instances set owner = @process, fence = fence + 1")
            .With("process", process.Lease.Id)
            .ExecuteNonQueryAsync();

        Assert.Null(await (await rig.ProcessAsync()).Instances.ClaimNextAsync(default));
        await process.RunAllAsync();

        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
    }

    [Fact]
    public async Task A_committed_step_is_not_repeated_however_often_the_database_fails()
    {
        var firstRuns = 0;
        var secondRuns = 0;
        TestDatabase database = null!;
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ =>
            {
                firstRuns++;
                return new ActivityResult.Completed();
            }),
            new ScriptedActivity("Test.Second", async (_, _) =>
            {
                if (secondRuns++ > 0)
                    return new ActivityResult.Completed();
                // So that the first attempt to read what was committed fails as well.
                await BreakConnectionsAsync(database);
                throw new NpgsqlException("The connection broke.", new IOException());
            }));
        database = rig.Database;
        await rig.RequestAsync(TwoSteps);

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal((1, 2), (firstRuns, secondRuns));
        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
    }

    [Fact]
    public async Task An_instance_that_fails_unexpectedly_is_released_and_runs_later()
    {
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Completed()), new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        var request = await rig.RequestAsync(TwoSteps);
        var process = await rig.ProcessAsync();
        await rig.Database.DataSource.Sql("alter table csv_data_table add constraint no_end check (status <> 'failed')").ExecuteNonQueryAsync();

        await process.RunAllAsync();

        Assert.True((bool)(await rig.Database.DataSource.Sql("select owner is null and ready_at > now() from workflow_instances").ExecuteScalarAsync())!);
        await rig.Database.DataSource.Sql("alter table csv_data_table drop constraint no_end").ExecuteNonQueryAsync();
        await rig.Database.DataSource.Sql("update workflow_instances set ready_at = now()").ExecuteNonQueryAsync();
        await process.RunAllAsync();
        Assert.Equal("failed", (await rig.StatusAsync(request)).Status);
    }

    [Fact]
    public async Task A_live_process_keeps_its_instance()
    {
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Completed()), new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        await rig.RequestAsync(TwoSteps);

        Assert.NotNull(await (await rig.ProcessAsync()).Instances.ClaimNextAsync(default));
        var other = await rig.ProcessAsync();
        Assert.Equal(0, await other.Instances.FreeAbandonedAsync(default));
        Assert.Null(await other.Instances.ClaimNextAsync(default));
    }

    [Fact]
    public async Task A_failed_effect_rolls_back_its_activity()
    {
        var attempts = 0;
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", context => new ActivityResult.Completed
            {
                Effect = async (connection, token) =>
                {
                    await connection.Sql("update csv_data_table set file_name = coalesce(file_name, '') || 'x'").ExecuteNonQueryAsync(token);
                    if (++attempts == 1)
                        throw new IOException("The first attempt breaks after it wrote.");
                },
            }),
            new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        await rig.RequestAsync(TwoSteps);
        var process = await rig.ProcessAsync();

        await Eventually.GetAsync(
            async () =>
            {
                await process.RunAllAsync();
                return (await rig.JournalAsync()).Count;
            },
            executions => executions == 2, "Both activities complete");

        Assert.Equal("x", await rig.Database.DataSource.Sql("select file_name from csv_data_table").ExecuteScalarAsync());
    }

    [Fact]
    public async Task An_activity_that_keeps_failing_faults_the_instance_and_the_request_says_so()
    {
        var attempts = 0;
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", ActivityResult (_) =>
            {
                attempts++;
                throw new IOException("Never works.");
            }),
            new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        var request = await rig.RequestAsync(TwoSteps);
        var process = await rig.ProcessAsync();

        var (_, error) = await Eventually.GetAsync(
            async () =>
            {
                await process.RunAllAsync();
                return await rig.StatusAsync(request);
            },
            current => current.Status == "failed", "The request fails");

        Assert.Equal("activity_failed", error);
        Assert.Equal(rig.Options.ActivityAttempts, attempts);
    }

    [Fact]
    public async Task A_definition_that_this_build_cannot_run_fails_its_request_with_the_reason()
    {
        await using var rig = await EngineRig.StartAsync();
        var request = await rig.RequestAsync(TwoSteps);

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(("failed", "invalid_workflow"), await rig.StatusAsync(request));
    }

    [Fact]
    public async Task A_suspended_instance_waits_until_its_bookmark_is_resumed()
    {
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Suspended("{}")), new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        await rig.RequestAsync(TwoSteps);
        var process = await rig.ProcessAsync();

        await process.RunAllAsync();
        Assert.Equal(["first Running"], await rig.JournalAsync());
        Assert.Null(await process.Instances.ClaimNextAsync(default));

        await WakeAsync(rig);
        await process.RunAllAsync();
        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
        Assert.Equal(0L, await rig.Database.DataSource.Sql("select count(*) from bookmarks").ExecuteScalarAsync());
    }

    [Fact]
    public async Task An_instance_that_waits_for_an_event_and_a_time_goes_on_with_the_event()
    {
        await using var rig = await EngineRig.StartAsync(WaitingAnHour, new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        await rig.RequestAsync(TwoSteps);
        var process = await rig.ProcessAsync();
        await process.RunAllAsync();
        Assert.Null(await process.Instances.ClaimNextAsync(default));

        await WakeAsync(rig);
        await process.RunAllAsync();

        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
    }

    [Fact]
    public async Task An_instance_whose_process_dies_after_the_event_does_not_wait_for_the_time()
    {
        await using var rig = await EngineRig.StartAsync(WaitingAnHour, new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        await rig.RequestAsync(TwoSteps);
        var dying = await rig.ProcessAsync();
        await dying.RunAllAsync();
        await WakeAsync(rig);
        Assert.NotNull(await dying.Instances.ClaimNextAsync(default));

        await rig.DeclareDeadAsync(dying);
        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
    }

    [Fact]
    public async Task An_instance_that_failed_to_resume_rests_before_it_is_claimed_again()
    {
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Suspended("{}")) { Resume = () => throw new IOException("Not yet.") },
            new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        rig.Options.FirstRetryDelay = rig.Options.MaxRetryDelay = TimeSpan.FromHours(1);
        await rig.RequestAsync(TwoSteps);
        var process = await rig.ProcessAsync();
        await process.RunAllAsync();
        await WakeAsync(rig);

        await process.RunAllAsync();

        Assert.Null(await process.Instances.ClaimNextAsync(default));
    }

    [Fact]
    public async Task Another_process_takes_over_when_one_dies_after_its_instance_was_resumed()
    {
        var runs = 0;
        var inSecond = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Suspended("{}")),
            new ScriptedActivity("Test.Second", async (_, _) =>
            {
                if (Interlocked.Increment(ref runs) == 1)
                {
                    inSecond.SetResult();
                    await release.Task;
                }

                return new ActivityResult.Completed();
            }));
        await rig.RequestAsync(TwoSteps);
        var dying = await rig.ProcessAsync();
        await dying.RunAllAsync();
        await WakeAsync(rig);
        var run = dying.RunAllAsync();
        await inSecond.Task;

        await rig.DeclareDeadAsync(dying);
        await (await rig.ProcessAsync()).RunAllAsync();
        release.SetResult();
        await run;

        Assert.Equal(1, rig.Metrics.Sums("darkroom.claims.recovered")["darkroom.claim.kind=instance"]);
        Assert.Equal(2, runs);
        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
    }

    [Fact]
    public async Task An_instance_stays_with_an_owner_whose_lease_may_be_stale_only_because_nobody_could_reach_the_database()
    {
        await using var rig = await EngineRig.StartAsync();
        await rig.RequestAsync(TwoSteps);
        var silent = await rig.ProcessAsync();
        var living = await rig.ProcessAsync();
        Assert.NotNull(await silent.Instances.ClaimNextAsync(default));
        await rig.DeclareDeadAsync(silent);

        rig.Lease.Duration = TimeSpan.FromMinutes(10);
        await rig.Database.DataSource.Sql("update processes set beating_since = now()").ExecuteNonQueryAsync();
        Assert.Equal(0, await living.Instances.FreeAbandonedAsync(default));
        Assert.Null(await living.Instances.ClaimNextAsync(default));

        await rig.Database.DataSource.Sql("update processes set beating_since = now() - interval '1 hour'").ExecuteNonQueryAsync();
        Assert.Equal(1, await living.Instances.FreeAbandonedAsync(default));
        Assert.NotNull(await living.Instances.ClaimNextAsync(default));
    }

    [Fact]
    public async Task A_bookmark_that_is_resumed_in_the_commit_that_creates_it_is_not_missed()
    {
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Suspended("{}") { Effect = WakeAsync }),
            new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        await rig.RequestAsync(TwoSteps);

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(["first Completed", "second Completed"], await rig.JournalAsync());
    }

    [Fact]
    public async Task A_process_that_is_stopping_releases_its_instance_at_once()
    {
        var started = new TaskCompletionSource();
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", async (_, token) =>
            {
                started.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                return new ActivityResult.Completed();
            }),
            new ScriptedActivity("Test.Second", _ => new ActivityResult.Completed()));
        await rig.RequestAsync(TwoSteps);
        using var stop = new CancellationTokenSource();
        var stopping = await rig.ProcessAsync();
        var run = stopping.RunAllAsync(stop.Token);
        await started.Task;

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);

        Assert.NotNull(await (await rig.ProcessAsync()).Instances.ClaimNextAsync(default));
    }

    private static ScriptedActivity WaitingAnHour => new("Test.First", _ => new ActivityResult.Suspended("{}") { ResumeAfter = TimeSpan.FromHours(1) });

    private static async Task WakeAsync(EngineRig rig)
    {
        await using var connection = await rig.Database.DataSource.OpenConnectionAsync();
        await WakeAsync(connection, default);
    }

    private static async Task WakeAsync(Npgsql.NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.Sql("insert into resumptions (bookmark_id, instance_id, input) select id, instance_id, '{}' from bookmarks")
            .ExecuteNonQueryAsync(cancellationToken);

    private static async Task BreakConnectionsAsync(TestDatabase database)
    {
        await using var other = NpgsqlDataSource.Create(database.ConnectionString);
        await other.Sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
            .ExecuteNonQueryAsync();
    }
}
