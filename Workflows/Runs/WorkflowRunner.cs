using System.Diagnostics;
using System.Text.Json;
using Darkroom.Bookmarks;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Darkroom.Engine.Flow;
using Darkroom.Requests;
using Darkroom.Storage;
using Darkroom.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Runs;

/// <summary>
/// Runs a claimed instance until it waits or ends. Each activity's completion is one transaction; the step that a crash
/// interrupts is executed again by the process that claims the instance next.
/// </summary>
internal sealed partial class WorkflowRunner(
    WorkflowInstanceStore instances,
    WorkflowCompiler compiler,
    RunFinalizer ending,
    TimeProvider time,
    Random random,
    DarkroomMetrics metrics,
    IOptions<EngineOptions> options,
    ILogger<WorkflowRunner> logger)
{
    // However many activities follow each other that commit with the next one, it is noticed soon that their instance was cancelled.
    private const int MaxPending = 16;

    public async Task RunAsync(WorkflowInstance instance, CancellationToken cancellationToken)
    {
        using var span = DarkroomTracing.StartRun(instance.TraceParent, instance.Id, instance.RequestId, instance.Run);
        using var scope = logger.BeginInstance(instance.RequestId, instance.Id);
        try
        {
            await RunUntilItWaitsAsync(instance, cancellationToken);
        }
        catch (InstanceLostException)
        {
            LogLost(instance.Id, instance.RequestId);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await instances.ReleaseAsync(instance, TimeSpan.Zero, usesAttempt: false, CancellationToken.None);
        }
        catch (Exception e)
        {
            LogFailed(e, instance.Id, instance.RequestId);
            if (Incurable(e, instance) is { } incident && await TryFaultAsync(instance, incident))
                return;
            // Unexpected. It is retried later, here or by another build, but not in a tight loop and not for ever.
            await instances.ReleaseAsync(instance, options.Value.MaxRetryDelay / 10, usesAttempt: !IsOutage(e), CancellationToken.None);
        }
        finally
        {
            instances.Forget(instance);
        }
    }

    /// <summary>The incident that ends the instance if another attempt is pointless, else null.</summary>
    private Incident? Incurable(Exception e, WorkflowInstance instance) => e switch
    {
        // A value that the database cannot store now, it cannot store next time either.
        PostgresException { SqlState: ['2', '2', ..] } => InstanceIncident("value_not_kept", "The workflow produced a value that cannot be stored."),
        _ when !IsOutage(e) && instance.Attempts + 1 >= options.Value.MaxAttempts =>
            InstanceIncident("internal_error", $"The workflow failed {options.Value.MaxAttempts} times because of an internal error."),
        _ => null,
    };

    private Incident InstanceIncident(string code, string message) => new("", "", code, message, time.GetUtcNow());

    private async Task<bool> TryFaultAsync(WorkflowInstance instance, Incident incident)
    {
        try
        {
            if (await instances.ReloadAsync(instance, CancellationToken.None) is not { } current)
                return false;
            await FaultAsync(current, incident, CancellationToken.None);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or InstanceLostException)
        {
            return false;
        }
    }

    private async Task RunUntilItWaitsAsync(WorkflowInstance instance, CancellationToken cancellationToken)
    {
        for (var failures = 0; ;)
        {
            try
            {
                // The failed commit may have succeeded after all. The fence would not stop us from repeating its step,
                // because it is still ours: only continue from a state that was read since then.
                if (failures > 0)
                    instance = await instances.ReloadAsync(instance, cancellationToken) ?? throw new InstanceLostException(instance.Id);
                await StepThroughAsync(instance, cancellationToken);
                return;
            }
            catch (NpgsqlException e) when (DatabaseErrors.IsTransient(e))
            {
                failures++;
                LogDatabaseFailed(e, instance.Id, instance.RequestId);
                await Task.Delay(EngineOptions.NextDelay(failures, options.Value, random.NextDouble()), time, cancellationToken);
            }
        }
    }

    private async Task StepThroughAsync(WorkflowInstance instance, CancellationToken cancellationToken)
    {
        if (instance.IsUnreadable)
        {
            await FaultAsync(instance, InstanceIncident("unreadable_state", "The workflow's saved state cannot be read."), cancellationToken);
            return;
        }

        if (instance.Attempts >= options.Value.MaxAttempts)
        {
            var crashed = InstanceIncident(
                "process_crashed", $"The process that ran the workflow ended {options.Value.MaxAttempts} times before it completed its next step.");
            await FaultAsync(instance, crashed, cancellationToken);
            return;
        }

        CompiledWorkflow workflow;
        try
        {
            workflow = await compiler.GetAsync(instance.Document, cancellationToken);
        }
        catch (WorkflowDefinitionException e)
        {
            await FaultAsync(instance, new Incident("", "", "invalid_workflow", e.Message, time.GetUtcNow()), cancellationToken);
            return;
        }

        if (!instance.State.Started)
            instance = await StartAsync(instance, workflow, cancellationToken);
        while (await NextStepAsync(instance, workflow, cancellationToken) is { } next)
            instance = next;
    }

    private async Task<WorkflowInstance> StartAsync(WorkflowInstance instance, CompiledWorkflow workflow, CancellationToken cancellationToken)
    {
        await using var step = await instances.BeginStepAsync(instance, cancellationToken);
        var state = instance.State with
        {
            Started = true,
            Scheduled = [StateChanges.Schedule(workflow.Graph.Start, time.GetUtcNow())],
            Variables = workflow.Variables.Values.ToDictionary(v => v.Name, v => VariableTypes.Convert(v, v.Value), StringComparer.Ordinal),
            Inputs = await step.ReadInputsAsync(cancellationToken),
        };
        step.MarkProcessing();
        step.Save(state);
        await step.CommitAsync(cancellationToken);
        LogStarted(instance.Id, instance.RequestId, instance.Run);
        return instance with { State = state };
    }

    /// <summary>Runs what is due; null when the instance waits, has ended, or is to be retried later.</summary>
    private async Task<WorkflowInstance?> NextStepAsync(WorkflowInstance instance, CompiledWorkflow workflow, CancellationToken cancellationToken)
    {
        if (instance.State.Scheduled.Count > 0)
            return await ExecuteAsync(instance, workflow, cancellationToken);
        var resumptions = await instances.ReadResumptionsAsync(instance, cancellationToken);
        if (resumptions.Count > 0)
            return await ResumeAsync(instance, workflow, resumptions[0], cancellationToken);
        await using var step = await instances.BeginStepAsync(instance, cancellationToken);
        return await CommitAsync(step, instance, cancellationToken);
    }

    private async Task<WorkflowInstance?> ExecuteAsync(WorkflowInstance instance, CompiledWorkflow workflow, CancellationToken cancellationToken)
    {
        var due = instance.State.Scheduled[0];
        var compiled = workflow.Activity(due.ActivityId);
        using var span = DarkroomTracing.StartStep(compiled.Node.Type);
        var execution = Begin(instance, compiled.Node, due.ExecutionId ?? Guid.CreateVersion7(time.GetUtcNow()));
        UncommittedStep? step;
        try
        {
            var written = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            var after = instance;
            WorkflowActivityContext context;
            try
            {
                var inputs = Evaluate(instance, workflow, compiled, written, cancellationToken);
                after = instance with { State = instance.State.WithVariables(workflow, written) };
                context = Context(instance, workflow, compiled, execution.Id, inputs);
            }
            catch (WorkflowDefinitionException e)
            {
                // The same variables cause the same failure: retrying would only hide it for a while.
                var failure = new ActivityResult.Faulted("expression_failed", e.Message);
                return await CommitAsync(await ApplyAsync(instance, workflow, execution, failure, null, cancellationToken), cancellationToken);
            }

            execution = execution with { Inputs = compiled.Inputs.ForJournal(context.Inputs.Values) };
            var result = await compiled.Activity.ExecuteAsync(context, cancellationToken);
            if (TryKeep(after, workflow, compiled, execution, result, null) is { } kept)
                return kept;
            step = await ApplyAsync(after, workflow, execution, result, null, cancellationToken);
        }
        catch (Exception e) when (IsTransient(e, cancellationToken))
        {
            var state = instance.State with { Scheduled = [due with { Attempt = due.Attempt + 1 }, .. instance.State.Scheduled.Skip(1)] };
            return await RetryAsync(instance, execution, due.Attempt, state, e, cancellationToken);
        }

        return await CommitAsync(step, cancellationToken);
    }

    private async Task<WorkflowInstance?> ResumeAsync(
        WorkflowInstance instance, CompiledWorkflow workflow, Resumption resumption, CancellationToken cancellationToken)
    {
        var compiled = workflow.Activity(resumption.ActivityId);
        using var span = DarkroomTracing.StartStep(compiled.Node.Type);
        // The bookmark's id is the execution's: the journal shows one execution, suspended and then completed.
        var execution = Begin(instance, compiled.Node, resumption.BookmarkId);
        UncommittedStep? step;
        try
        {
            var result = await compiled.Activity.ResumeAsync(
                Context(instance, workflow, compiled, execution.Id, ActivityInputs.None), resumption.Input, cancellationToken);
            if (TryKeep(instance, workflow, compiled, execution, result, resumption) is { } kept)
                return kept;
            step = await ApplyAsync(instance, workflow, execution, result, resumption, cancellationToken);
        }
        catch (Exception e) when (IsTransient(e, cancellationToken))
        {
            var attempts = new Dictionary<Guid, int>(instance.State.ResumeAttempts ?? new Dictionary<Guid, int>());
            var attempt = attempts.GetValueOrDefault(resumption.BookmarkId) + 1;
            attempts[resumption.BookmarkId] = attempt;
            return await RetryAsync(instance, execution, attempt, instance.State with { ResumeAttempts = attempts }, e, cancellationToken);
        }

        return await CommitAsync(step, cancellationToken);
    }

    /// <summary>Makes what an activity has returned part of a step, with the activity's own writes; null if that faulted the instance.</summary>
    private async Task<UncommittedStep?> ApplyAsync(
        WorkflowInstance instance, CompiledWorkflow workflow, ActivityExecution execution, ActivityResult result,
        Resumption? resumption, CancellationToken cancellationToken)
    {
        var step = await instances.BeginStepAsync(instance, cancellationToken);
        UncommittedStep? uncommitted = null;
        try
        {
            return uncommitted = await ApplyAsync(step, instance, workflow, execution, result, resumption, cancellationToken);
        }
        finally
        {
            if (uncommitted is null)
                await step.DisposeAsync();
        }
    }

    private async Task<UncommittedStep?> ApplyAsync(
        StepTransaction step, WorkflowInstance instance, CompiledWorkflow workflow, ActivityExecution execution, ActivityResult result,
        Resumption? resumption, CancellationToken cancellationToken)
    {
        var activity = execution.Activity;
        var state = instance.State.WithExecuted(execution, resumption);
        ActivityExecution ended;
        if (resumption is not null)
            step.BurnBookmark(resumption.BookmarkId);
        switch (result)
        {
            case ActivityResult.Completed completed:
                try
                {
                    state = state.WithResult(workflow, activity, completed, time.GetUtcNow());
                }
                catch (WorkflowDefinitionException e)
                {
                    await FaultAsync(step, execution, instance.State, "wrong_type", $"{activity.Label}: {e.Message}", cancellationToken);
                    return null;
                }

                ended = Ended(execution, completed);
                break;

            case ActivityResult.Suspended suspended:
                step.InsertBookmark(execution.Id, activity, suspended);
                ended = execution with { Status = "Running" };
                break;

            case ActivityResult.Faulted faulted:
                await FaultAsync(step, execution, state, faulted.Code, faulted.Message, cancellationToken);
                return null;

            default:
                throw new UnreachableException();
        }

        if (result.Effect is not null)
            await step.ApplyAsync(result.Effect, cancellationToken);
        step.Record(ended);
        return new UncommittedStep(step, instance with { State = state }, execution, result);
    }

    /// <summary>
    /// The instance after an activity whose completion is committed with that of the next one; null if it must be committed by itself: because
    /// there is no next one, or too much is pending already.
    /// </summary>
    private WorkflowInstance? TryKeep(
        WorkflowInstance instance, CompiledWorkflow workflow, CompiledActivity compiled, ActivityExecution execution, ActivityResult result,
        Resumption? resumption)
    {
        if (!compiled.Activity.CommitsWithNext || instance.Pending.Count == MaxPending || result is not ActivityResult.Completed { Effect: null } completed)
            return null;
        WorkflowState state;
        try
        {
            state = instance.State.WithExecuted(execution, resumption).WithResult(workflow, compiled.Node, completed, time.GetUtcNow());
        }
        catch (WorkflowDefinitionException)
        {
            return null;
        }

        if (state.Scheduled.Count == 0)
            return null;
        StepFinished(execution, "completed");
        var pending = new PendingExecution(Ended(execution, completed) with { CompletedAt = time.GetUtcNow() }, resumption?.BookmarkId);
        return instance with { State = state, Pending = [.. instance.Pending, pending] };
    }

    /// <summary>
    /// Commits what an activity has done. What fails here is not the activity's fault, and uses up none of its attempts.
    /// </summary>
    private async Task<WorkflowInstance?> CommitAsync(UncommittedStep? step, CancellationToken cancellationToken)
    {
        if (step is null)
            return null;
        WorkflowInstance? after;
        await using (step.Transaction)
            after = await CommitAsync(step.Transaction, step.After, cancellationToken);
        StepFinished(step.Execution, step.Result is ActivityResult.Suspended ? "suspended" : "completed");
        if (step.Result.AfterCommit is { } afterCommit)
            await afterCommit();
        return after;
    }

    /// <summary>Commits a step. If nothing is due after it, the instance waits for its bookmarks or has ended, and null is returned.</summary>
    private async Task<WorkflowInstance?> CommitAsync(StepTransaction step, WorkflowInstance instance, CancellationToken cancellationToken)
    {
        if (instance.State.Scheduled.Count > 0)
            return await SaveAsync();
        switch (await step.ReadWaitAsync(cancellationToken))
        {
            case Wait.Over:
                return await SaveAsync();

            case Wait.Bookmark:
                step.Suspend(instance.State);
                await step.CommitAsync(cancellationToken);
                return null;

            default:
                var status = await step.EndAsync(instance.State, "Finished", ending, cancellationToken);
                await step.CommitAsync(cancellationToken);
                metrics.RequestFinished(status.ToText());
                LogFinished(instance.Id, instance.RequestId, instance.Run);
                return null;
        }

        async Task<WorkflowInstance> SaveAsync()
        {
            step.Save(instance.State);
            await step.CommitAsync(cancellationToken);
            return instance with { Pending = [] };
        }
    }

    /// <param name="instance">As it was before the step.</param>
    /// <param name="execution">What failed.</param>
    /// <param name="attempt">Which attempt failed, from 1.</param>
    /// <param name="next">The state with this attempt counted; an outage does not count.</param>
    /// <param name="exception">Why it failed.</param>
    /// <param name="cancellationToken">Cancels the step.</param>
    private async Task<WorkflowInstance?> RetryAsync(
        WorkflowInstance instance, ActivityExecution execution, int attempt, WorkflowState next, Exception exception, CancellationToken cancellationToken)
    {
        var activity = execution.Activity;
        var isOutage = IsOutage(exception);
        if (!isOutage && attempt >= options.Value.ActivityAttempts)
        {
            LogGaveUp(exception, instance.Id, instance.RequestId, activity.Name, attempt);
            var incident = new Incident(
                activity.Id, activity.Type, "activity_failed", $"{activity.Name} failed {attempt} times.", time.GetUtcNow());
            await FaultAsync(instance, incident, cancellationToken);
            return null;
        }

        var delay = isOutage ? options.Value.MaxRetryDelay / 10 : EngineOptions.NextDelay(attempt, options.Value, random.NextDouble());
        LogRetrying(exception, instance.Id, instance.RequestId, activity.Name, attempt, delay);
        await using var step = await instances.BeginStepAsync(instance, cancellationToken);
        step.Postpone(isOutage ? instance.State : next, delay);
        await step.CommitAsync(cancellationToken);
        StepFinished(execution, "retried");
        return null;
    }

    private async Task FaultAsync(
        StepTransaction step, ActivityExecution execution, WorkflowState state, string code, string message, CancellationToken cancellationToken)
    {
        var activity = execution.Activity;
        var incident = new Incident(activity.Id, activity.Type, code, message, time.GetUtcNow());
        step.Record(execution with { Status = "Faulted", Error = incident });
        var status = await step.EndAsync(state with { Incidents = [.. state.Incidents, incident] }, "Faulted", ending, cancellationToken);
        await step.CommitAsync(cancellationToken);
        metrics.RequestFinished(status.ToText());
        StepFinished(execution, "faulted");
        Activity.Current.Fail(code);
        LogActivityFaulted(activity.Name, code, message);
    }

    private async Task FaultAsync(WorkflowInstance instance, Incident incident, CancellationToken cancellationToken)
    {
        await using var step = await instances.BeginStepAsync(instance, cancellationToken);
        // A request may end before it started processing: an instance whose definition cannot run faults at once.
        step.MarkProcessing();
        var status = await step.EndAsync(
            instance.State with { Incidents = [.. instance.State.Incidents, incident] }, "Faulted", ending, cancellationToken);
        await step.CommitAsync(cancellationToken);
        metrics.RequestFinished(status.ToText());
        Activity.Current.Fail(incident.Code);
        LogFaulted(instance.Id, instance.RequestId, incident.ActivityId, incident.Code, incident.Message);
    }

    private void StepFinished(ActivityExecution execution, string outcome) =>
        metrics.StepFinished(time.GetUtcNow() - execution.StartedAt, execution.Activity.Type, outcome);

    private ActivityExecution Begin(WorkflowInstance instance, ActivityNode node, Guid id) =>
        new(id, instance.State.Sequence + 1, node, time.GetUtcNow()) { Status = "Running" };

    private static ActivityInputs Evaluate(
        WorkflowInstance instance, CompiledWorkflow workflow, CompiledActivity compiled,
        Dictionary<string, JsonElement> written, CancellationToken cancellationToken) =>
        new(compiled.Inputs.Evaluate(
            new ExpressionScope
            {
                Variables = instance.State.Variables,
                Inputs = instance.State.Inputs,
                Outputs = instance.State.Outputs,
                FindActivity = workflow.FindActivity,
                Writes = written,
            },
            cancellationToken));

    private static WorkflowActivityContext Context(
        WorkflowInstance instance, CompiledWorkflow workflow, CompiledActivity compiled, Guid execution, ActivityInputs inputs) =>
        new(instance.RequestId, instance.Run, instance.Fence, compiled.Node.Id, inputs, instance.State.Variables)
        {
            ExecutionId = execution,
            WorkflowInputs = instance.State.Inputs,
            Outputs = instance.State.Outputs,
            LeadsOn = outcome => workflow.Graph.Next(compiled.Node.Id, outcome) is not null,
        };

    private static ActivityExecution Ended(ActivityExecution execution, ActivityResult.Completed completed) => execution with
    {
        Status = "Completed",
        Outcomes = [completed.Outcome],
        Outputs = completed.Outputs?.Where(output => execution.Activity.Logs.KeepsOutput(output.Key)).ToDictionary(),
    };

    /// <summary>A server that we depend on is away. That is nobody's fault and may take long.</summary>
    private static bool IsOutage(Exception e) =>
        e is StorageException { IsTransient: true } || (e is NpgsqlException && DatabaseErrors.IsTransient(e));

    /// <summary>A database failure is not the activity's fault: the whole step is repeated instead.</summary>
    private static bool IsTransient(Exception e, CancellationToken cancellationToken) =>
        e is not InstanceLostException
        && !(e is NpgsqlException && DatabaseErrors.IsTransient(e))
        && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested);

    /// <summary>What an activity has done, before it is committed.</summary>
    /// <param name="Transaction">The step.</param>
    /// <param name="After">The instance as it is then.</param>
    /// <param name="Execution">What was executed.</param>
    /// <param name="Result">Its result.</param>
    private sealed record UncommittedStep(StepTransaction Transaction, WorkflowInstance After, ActivityExecution Execution, ActivityResult Result);

    [LoggerMessage(Level = LogLevel.Information, Message = "Workflow instance {Instance} of request {Request} started, run {Run}")]
    private partial void LogStarted(Guid instance, RequestId request, int run);

    [LoggerMessage(Level = LogLevel.Information, Message = "Workflow instance {Instance} of request {Request} finished, run {Run}")]
    private partial void LogFinished(Guid instance, RequestId request, int run);

    [LoggerMessage(Level = LogLevel.Error, Message = "Workflow instance {Instance} of request {Request} faulted in {Activity}: {Code}, {Reason}")]
    private partial void LogFaulted(Guid instance, RequestId request, string activity, string code, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Activity} faulted its workflow: {Code}, {Reason}")]
    private partial void LogActivityFaulted(string activity, string code, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Workflow instance {Instance} of request {Request}: {Activity} failed, attempt {Attempt}; trying again in {Delay}")]
    private partial void LogRetrying(Exception exception, Guid instance, RequestId request, string activity, int attempt, TimeSpan delay);

    [LoggerMessage(Level = LogLevel.Error, Message = "Workflow instance {Instance} of request {Request}: {Activity} failed {Attempts} times")]
    private partial void LogGaveUp(Exception exception, Guid instance, RequestId request, string activity, int attempts);

    [LoggerMessage(Level = LogLevel.Error, Message = "Running workflow instance {Instance} of request {Request} failed unexpectedly")]
    private partial void LogFailed(Exception exception, Guid instance, RequestId request);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Workflow instance {Instance} of request {Request} is owned by another process now")]
    private partial void LogLost(Guid instance, RequestId request);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Workflow instance {Instance} of request {Request}: the database failed; resuming from the last commit")]
    private partial void LogDatabaseFailed(Exception exception, Guid instance, RequestId request);
}
