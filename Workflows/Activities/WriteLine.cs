using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>Writes a line to the journal.</summary>
internal sealed class WriteLine : FlowActivity, IDescribedActivity
{
    private const string Text = nameof(Text);

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.WriteLine",
        Place = ActivityPlace.Anywhere,
        Category = "Console",
        DisplayName = "Write line",
        Description = "Writes a line to the journal; in the body of a fan-out, to the image's own journal, which is kept if the image fails.",
        Inputs = [new InputDescriptor(Text, typeof(string), "", "The line to write.")],
    };

    protected override FlowStep Decide(ActivityInputs inputs) => new(Outcome.Done) { Line = new JournalLine(Text, inputs.Get<string>(Text)) };
}
