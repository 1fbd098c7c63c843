using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>Writes a line into the journal.</summary>
internal sealed class WriteLine : FlowActivity, IDescribedActivity
{
    private const string Text = nameof(Text);

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.WriteLine",
        Place = ActivityPlace.Anywhere,
        Category = "Console",
        DisplayName = "Write line",
        Description = "Writes a line into the journal; in the body of a fan-out into the image's own, which is kept if the image fails.",
        Inputs = [new InputDescriptor(Text, typeof(string), "", "The line.")],
    };

    protected override FlowStep Decide(ActivityInputs inputs) => new(Outcome.Done) { Line = inputs.Get<string>(Text) };
}
