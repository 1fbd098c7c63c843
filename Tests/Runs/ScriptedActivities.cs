using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Engine.Flow;

namespace Darkroom.Tests.Runs;

/// <summary>A workflow activity whose behaviour the test defines.</summary>
internal sealed class ScriptedActivity(string type, Func<WorkflowActivityContext, CancellationToken, Task<ActivityResult>> execute) : WorkflowActivity
{
    public ScriptedActivity(string type, Func<WorkflowActivityContext, ActivityResult> execute)
        : this(type, (context, _) => Task.FromResult(execute(context)))
    {
    }

    public ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = type,
        Place = ActivityPlace.Workflow,
        Category = "Test",
        DisplayName = type,
        Description = type,
        Inputs =
        [
            InputDescriptor.Number("Number", 50, 1, 100, "A number."),
            new InputDescriptor("Text", typeof(string), null, "A text."),
            new InputDescriptor("Flag", typeof(bool), false, "A flag."),
        ],
        Outcomes = ["Done", "Other"],
    };

    public ActivityRegistration Registration => new(Descriptor, () => this);

    /// <summary>What it does when its bookmark is resumed.</summary>
    public Func<ActivityResult> Resume { get; init; } = () => new ActivityResult.Completed();

    /// <summary>Whether its completion has no effect but its result.</summary>
    public bool HasNoEffect { get; init; }

    public override bool CommitsWithNext => HasNoEffect;

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken) => execute(context, cancellationToken);

    public override Task<ActivityResult> ResumeAsync(WorkflowActivityContext context, string input, CancellationToken cancellationToken) =>
        Task.FromResult(Resume());
}

/// <summary>A fan-out for tests: an activity with a body.</summary>
internal sealed class ScriptedFanOut : WorkflowActivity
{
    public ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Test.FanOut",
        Place = ActivityPlace.Workflow,
        Category = "Test",
        DisplayName = "Fan out",
        Description = "Fan out",
        BodyPort = "Body",
    };

    public ActivityRegistration Registration => new(Descriptor, () => this);

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken) =>
        Task.FromResult<ActivityResult>(new ActivityResult.Completed());
}

/// <summary>An image activity whose behaviour the test defines.</summary>
internal sealed class ScriptedImageActivity(string type, Func<ImageRun, ActivityInputs, string> execute) : ImageActivity
{
    public ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = type,
        Place = ActivityPlace.ImageBody,
        Category = "Test",
        DisplayName = type,
        Description = type,
        Inputs = [InputDescriptor.Number("Number", 50, 1, 100, "A number.")],
        Outcomes = ["Done", "Other"],
    };

    public ActivityRegistration Registration => new(Descriptor, () => this);

    public override ValueTask<string> ExecuteAsync(ImageRun run, ActivityInputs inputs, CancellationToken cancellationToken) =>
        ValueTask.FromResult(execute(run, inputs));
}
