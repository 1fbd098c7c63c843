using Darkroom.Engine.Bodies;
using Darkroom.Images;

namespace Darkroom.Engine.Flow;

/// <summary>
/// An activity that only looks at its inputs: it decides, logs or fails, in the same way in the workflow and in the body of a fan-out.
/// </summary>
public abstract class FlowActivity : WorkflowActivity
{
    /// <summary>Decides from the inputs alone.</summary>
    protected abstract FlowStep Decide(ActivityInputs inputs);

    public sealed override bool CommitsWithNext => true;

    public sealed override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken)
    {
        var step = Decide(context.Inputs);
        return Task.FromResult<ActivityResult>(step.Failure is { } failure
            ? new ActivityResult.Faulted(failure.Code, failure.Message)
            : new ActivityResult.Completed(step.Outcome) { Outputs = step.Outputs });
    }

    internal FlowStep Try(ActivityInputs inputs) => Decide(inputs);

    internal ImageActivity ForImages() => new InBody(this);

    private sealed class InBody(FlowActivity activity) : ImageActivity
    {
        public override ValueTask<string> ExecuteAsync(ImageRun run, ActivityInputs inputs, CancellationToken cancellationToken)
        {
            var step = activity.Decide(inputs);
            if (step.Failure is { } failure)
                throw new ImageFailedException(failure);
            if (step.Line is { } line)
                run.Note(line);
            return ValueTask.FromResult(step.Outcome);
        }
    }
}

/// <summary>What a <see cref="FlowActivity"/> decided.</summary>
/// <param name="Outcome">The outcome that the flow continues with.</param>
public sealed record FlowStep(string Outcome)
{
    /// <summary>A line for the journal.</summary>
    public JournalLine? Line { get; init; }

    public IReadOnlyDictionary<string, object?>? Outputs { get; init; }

    /// <summary>Fails the workflow, or the image.</summary>
    public ImageFailure? Failure { get; init; }
}

/// <summary>A line for the journal.</summary>
/// <param name="Input">The input that it is the value of.</param>
/// <param name="Text">The line.</param>
public sealed record JournalLine(string Input, string Text);
