namespace Darkroom.Engine;

/// <summary>What an activity type looks like from outside: how a definition may use it. Terms are Elsa's.</summary>
public sealed record ActivityDescriptor
{
    /// <summary>The name that definitions use, such as <c>Darkroom.CompressImage</c>.</summary>
    public required string TypeName { get; init; }

    /// <summary>The version of the type that this build runs.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Where it runs; a definition that puts it elsewhere is refused.</summary>
    public required ActivityPlace Place { get; init; }

    /// <summary>The heading under which people find it.</summary>
    public required string Category { get; init; }

    public required string DisplayName { get; init; }

    public required string Description { get; init; }

    /// <summary>True for an activity that a workflow starts with.</summary>
    public bool IsTrigger { get; init; }

    public IReadOnlyList<InputDescriptor> Inputs { get; init; } = [];

    /// <summary>Flow ports: the outcomes that connections may leave by.</summary>
    public IReadOnlyList<string> Outcomes { get; init; } = [Outcome.Done];

    /// <summary>The name of the embedded port that holds a nested flowchart, or null.</summary>
    public string? BodyPort { get; init; }

    public InputDescriptor? FindInput(string name) =>
        Inputs.FirstOrDefault(input => string.Equals(input.Name, name, StringComparison.OrdinalIgnoreCase));
}

/// <summary>Where an activity may stand.</summary>
public enum ActivityPlace
{
    /// <summary>In the workflow itself, where each completion is a transaction.</summary>
    Workflow,

    /// <summary>In the body of a fan-out, which runs in memory once per image.</summary>
    ImageBody,
}

/// <summary>One input of an activity.</summary>
/// <param name="Name">PascalCase; a definition's JSON has it in camelCase.</param>
/// <param name="Type">The type that its value is read as: string, int, long, double, bool.</param>
/// <param name="Default">The value where the definition says nothing; null if there is none.</param>
/// <param name="Description">Meaning, unit and range, as shown to people.</param>
public sealed record InputDescriptor(string Name, Type Type, object? Default, string Description)
{
    /// <summary>Refuses values out of range with a message for people; null accepts.</summary>
    public Func<object?, string?>? Check { get; init; }

    /// <summary>A whole number between two bounds, both allowed.</summary>
    public static InputDescriptor Number(string name, int defaultValue, int least, int most, string description) =>
        new(name, typeof(int), defaultValue, description)
        {
            Check = value => value is int number && (number < least || number > most)
                ? $"{name} must be between {least} and {most}, not {number}."
                : null,
        };
}

/// <summary>Names of outcomes that more than one activity uses.</summary>
public static class Outcome
{
    public const string Done = "Done";
}
