using Darkroom.Engine.Bodies;

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

    /// <summary>False for a type that definitions may contain but that nobody picks from the toolbox.</summary>
    public bool IsBrowsable { get; init; } = true;

    public IReadOnlyList<InputDescriptor> Inputs { get; init; } = [];

    /// <summary>What it leaves behind; a definition may bind each to a variable.</summary>
    public IReadOnlyList<OutputDescriptor> Outputs { get; init; } = [];

    /// <summary>Flow ports: the outcomes that connections may leave by. None for an activity that ends the flow.</summary>
    public IReadOnlyList<string> Outcomes { get; init; } = [Outcome.Done];

    /// <summary>The name of the embedded port that holds a nested flowchart, or null.</summary>
    public string? BodyPort { get; init; }

    /// <summary>True if it may not come twice on one way through a flowchart.</summary>
    public bool OncePerPath { get; init; }

    /// <summary>Embedded ports that hold a nested flowchart or activity of which one is run in place, such as Then and Else.</summary>
    public IReadOnlyList<string> BranchPorts { get; init; } = [];

    /// <summary>The input whose literal value, a JSON array, adds outcomes to the activity; null if none does.</summary>
    public string? OutcomesInput { get; init; }

    /// <summary>True if it completes the flowchart that it stands in, so that the flow goes on behind the activity that holds that one.</summary>
    public bool CompletesFlowchart { get; init; }

    /// <summary>True if it changes variables by itself; the body of a fan-out only reads them.</summary>
    public bool WritesVariables { get; init; }

    /// <summary>What every way to it must have passed; null if it may come first.</summary>
    public RequiredStep? After { get; init; }

    /// <summary>The activity that carries out what this one only asks for; null if it acts by itself.</summary>
    public ActivityDescriptor? TakesEffectIn { get; init; }

    /// <summary>What becomes of a flowchart of its place that lacks it, as the end of a sentence; null if one can do without.</summary>
    public string? WithoutIt { get; init; }

    /// <summary>Refuses values that do not go together, with a message for people; null accepts. It is asked only what is known beforehand.</summary>
    public Func<KnownInputs, string?>? Check { get; init; }

    /// <summary>True if it may stand in the body of a fan-out.</summary>
    public bool AllowedInBody => Place.HasFlag(ActivityPlace.ImageBody);

    /// <summary>True if it waits for an event, so that the workflow is put aside meanwhile.</summary>
    public bool CreatesBookmark { get; init; }

    public InputDescriptor? FindInput(string name) =>
        Inputs.FirstOrDefault(input => string.Equals(input.Name, name, StringComparison.OrdinalIgnoreCase));

    public OutputDescriptor? FindOutput(string name) =>
        Outputs.FirstOrDefault(output => string.Equals(output.Name, name, StringComparison.OrdinalIgnoreCase));
}

/// <summary>An activity that must have been passed by one of its outcomes.</summary>
/// <param name="Activity">Its type.</param>
/// <param name="Reason">What is missing without it, as the end of a sentence.</param>
public sealed record RequiredStep(ActivityDescriptor Activity, string Reason)
{
    public string Outcome { get; init; } = Engine.Outcome.Done;

    /// <summary>As people see it on the canvas.</summary>
    public string Label => Activity.Outcomes.Count > 1 ? $"{Activity.DisplayName} ({Outcome})" : Activity.DisplayName;
}

/// <summary>The inputs of an activity as far as a definition fixes them.</summary>
/// <param name="Find">The value; false for one that is computed when the activity runs.</param>
public sealed record KnownInputs(Func<string, (bool Known, object? Value)> Find)
{
    /// <summary>True if the input is fixed, and to this value.</summary>
    public bool Is<T>(string name, T value) => Find(name) is (true, T known) && EqualityComparer<T>.Default.Equals(known, value);
}

/// <summary>Where an activity may stand.</summary>
[Flags]
public enum ActivityPlace
{
    /// <summary>In the workflow itself, where each completion is a transaction.</summary>
    Workflow = 1,

    /// <summary>In the body of a fan-out, which runs in memory once per image.</summary>
    ImageBody = 2,

    Anywhere = Workflow | ImageBody,
}

/// <summary>One input of an activity.</summary>
/// <param name="Name">PascalCase; a definition's JSON has it in camelCase.</param>
/// <param name="Type">The type that its value is read as: string, int, long, double, bool, or object for any JSON value.</param>
/// <param name="Default">The value where the definition says nothing; null if there is none.</param>
/// <param name="Description">Meaning, unit and range, as shown to people.</param>
public sealed record InputDescriptor(string Name, Type Type, object? Default, string Description)
{
    /// <summary>What stands for a secret in a journal.</summary>
    public const string Hidden = "***";

    /// <summary>Shows of an address whom it leads to: the address of a chat's hook is its password.</summary>
    public static string RedactUrl(object value) => Uri.TryCreate(value as string, UriKind.Absolute, out var url)
        ? $"{url.Scheme}://{url.Authority}/{(url.PathAndQuery == "/" ? "" : Hidden)}"
        : Hidden;

    /// <summary>Refuses values out of range with a message for people; null accepts.</summary>
    public Func<object?, string?>? Check { get; init; }

    /// <summary>The label that people see; null for the name, taken apart into words.</summary>
    public string? DisplayName { get; init; }

    /// <summary>The heading of the input's group; null for the first, unnamed one.</summary>
    public string? Category { get; init; }

    /// <summary>Studio's name of the editor; null for the one that suits the type.</summary>
    public string? UiHint { get; init; }

    /// <summary>The values that may be chosen, in this order; none for a free value. A literal that is none of them is refused.</summary>
    public IReadOnlyList<InputOption> Options { get; init; } = [];

    /// <summary>True if the activity cannot run without a value.</summary>
    public bool IsRequired { get; init; }

    /// <summary>True for a value that is not shown in journals.</summary>
    public bool IsSensitive { get; init; }

    /// <summary>What journals show of a value that may carry a secret along; null for all of it, or none if it is sensitive.</summary>
    public Func<object, object>? Redact { get; init; }

    /// <summary>The language in which a value is first written.</summary>
    public string DefaultSyntax { get; init; } = "Literal";

    /// <summary>False for a value that definitions carry as it is, without an expression around it.</summary>
    public bool IsWrapped { get; init; } = true;

    /// <summary>A value out of a list.</summary>
    public static InputDescriptor Choice(string name, string defaultValue, string description, params InputOption[] options) =>
        new(name, typeof(string), defaultValue, description)
        {
            Options = options,
            Check = value => value is string text && options.All(option => option.Value != text)
                ? $"{name} must be one of {string.Join(", ", options.Select(option => option.Value))}, not '{text}'."
                : null,
        };

    /// <summary>A whole number between two bounds, both allowed.</summary>
    public static InputDescriptor Number(string name, int defaultValue, int least, int most, string description) =>
        new(name, typeof(int), defaultValue, description)
        {
            Check = value => value is int number && (number < least || number > most)
                ? $"{name} must be between {least} and {most}, not {number}."
                : null,
        };
}

/// <summary>A value that an input may take, and how people see it.</summary>
public sealed record InputOption(string Text, string Value);

/// <summary>One output of an activity.</summary>
/// <param name="Name">PascalCase; a definition's JSON has its binding in camelCase.</param>
/// <param name="Type">The type of its value.</param>
/// <param name="Description">Meaning and unit, as shown to people.</param>
public sealed record OutputDescriptor(string Name, Type Type, string Description);

/// <summary>Names of outcomes that more than one activity uses.</summary>
public static class Outcome
{
    public const string Done = "Done";
}
