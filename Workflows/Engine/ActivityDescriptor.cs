using Darkroom.Engine.Bodies;

namespace Darkroom.Engine;

/// <summary>An activity type as definitions see it. The terms are Elsa's.</summary>
public sealed record ActivityDescriptor
{
    /// <summary>The type name in definitions, such as <c>Darkroom.CompressImage</c>.</summary>
    public required string TypeName { get; init; }

    /// <summary>The version of the type that this build runs.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Where it may be placed; a definition that puts it elsewhere is rejected.</summary>
    public required ActivityPlace Place { get; init; }

    /// <summary>Its category in the toolbox.</summary>
    public required string Category { get; init; }

    public required string DisplayName { get; init; }

    public required string Description { get; init; }

    /// <summary>True for an activity that starts a workflow.</summary>
    public bool IsTrigger { get; init; }

    /// <summary>False for a type that definitions may contain but that the toolbox does not offer.</summary>
    public bool IsBrowsable { get; init; } = true;

    public IReadOnlyList<InputDescriptor> Inputs { get; init; } = [];

    /// <summary>Its outputs; a definition may bind each to a variable.</summary>
    public IReadOnlyList<OutputDescriptor> Outputs { get; init; } = [];

    /// <summary>Flow ports: the outcomes that connections may start from. Empty for an activity that ends the flow.</summary>
    public IReadOnlyList<string> Outcomes { get; init; } = [Outcome.Done];

    /// <summary>The name of the embedded port that holds a nested flowchart, or null.</summary>
    public string? BodyPort { get; init; }

    /// <summary>True if it may occur only once on a path through a flowchart.</summary>
    public bool OncePerPath { get; init; }

    /// <summary>Embedded ports that hold a nested flowchart or activity, one of which runs inline, such as Then and Else.</summary>
    public IReadOnlyList<string> BranchPorts { get; init; } = [];

    /// <summary>The input whose literal value, a JSON array, adds outcomes to the activity; null if there is none.</summary>
    public string? OutcomesInput { get; init; }

    /// <summary>True if it completes its flowchart, so that the flow continues after the activity that contains that flowchart.</summary>
    public bool CompletesFlowchart { get; init; }

    /// <summary>True if it sets variables itself; the body of a fan-out may only read them.</summary>
    public bool WritesVariables { get; init; }

    /// <summary>A step that every path to this activity must include; null if it may come first.</summary>
    public RequiredStep? After { get; init; }

    /// <summary>The activity that carries out what this one only requests; null if it acts by itself.</summary>
    public ActivityDescriptor? TakesEffectIn { get; init; }

    /// <summary>What happens to a flowchart without this activity, as the end of a sentence; null if it is optional.</summary>
    public string? WithoutIt { get; init; }

    /// <summary>Returns an error message for inputs that do not go together; null accepts. Sees only inputs that the definition fixes.</summary>
    public Func<KnownInputs, string?>? Check { get; init; }

    /// <summary>True if it may be used in the body of a fan-out.</summary>
    public bool AllowedInBody => Place.HasFlag(ActivityPlace.ImageBody);

    /// <summary>True if it waits for an event, which suspends the workflow.</summary>
    public bool CreatesBookmark { get; init; }

    public InputDescriptor? FindInput(string name) =>
        Inputs.FirstOrDefault(input => string.Equals(input.Name, name, StringComparison.OrdinalIgnoreCase));

    public OutputDescriptor? FindOutput(string name) =>
        Outputs.FirstOrDefault(output => string.Equals(output.Name, name, StringComparison.OrdinalIgnoreCase));
}

/// <summary>An activity that must have completed with a given outcome.</summary>
/// <param name="Activity">The activity's type.</param>
/// <param name="Reason">What is missing without it, as the end of a sentence.</param>
public sealed record RequiredStep(ActivityDescriptor Activity, string Reason)
{
    public string Outcome { get; init; } = Engine.Outcome.Done;

    /// <summary>The label as people see it on the canvas.</summary>
    public string Label => Activity.Outcomes.Count > 1 ? $"{Activity.DisplayName} ({Outcome})" : Activity.DisplayName;
}

/// <summary>The inputs of an activity whose values the definition fixes.</summary>
/// <param name="Find">Returns the value; false for one that is computed when the activity runs.</param>
public sealed record KnownInputs(Func<string, (bool Known, object? Value)> Find)
{
    /// <summary>True if the input is fixed to this value.</summary>
    public bool Is<T>(string name, T value) => Find(name) is (true, T known) && EqualityComparer<T>.Default.Equals(known, value);
}

/// <summary>Where an activity may be placed.</summary>
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
/// <param name="Type">The value when the definition gives none; null if there is no default.</param>
/// <param name="Default">The value where the definition says nothing; null if there is none.</param>
/// <param name="Description">Meaning, unit and range, as shown to people.</param>
public sealed record InputDescriptor(string Name, Type Type, object? Default, string Description)
{
    /// <summary>Shown in journals in place of a secret.</summary>
    public const string Hidden = "***";

    /// <summary>Shows only the host of a URL: the path of a chat webhook is its password.</summary>
    public static string RedactUrl(object value) => Uri.TryCreate(value as string, UriKind.Absolute, out var url)
        ? $"{url.Scheme}://{url.Authority}/{(url.PathAndQuery == "/" ? "" : Hidden)}"
        : Hidden;

    /// <summary>Returns an error message for an invalid value; null accepts it.</summary>
    public Func<object?, string?>? Check { get; init; }

    /// <summary>The label that people see; null derives it from the name.</summary>
    public string? DisplayName { get; init; }

    /// <summary>The heading of the input's group; null for the first, unnamed group.</summary>
    public string? Category { get; init; }

    /// <summary>Studio's name for the editor; null for the default editor of the type.</summary>
    public string? UiHint { get; init; }

    /// <summary>The allowed values, in display order; empty allows any value. Any other literal is rejected.</summary>
    public IReadOnlyList<InputOption> Options { get; init; } = [];

    /// <summary>True if the activity cannot run without a value.</summary>
    public bool IsRequired { get; init; }

    /// <summary>True for a value that journals must not show.</summary>
    public bool IsSensitive { get; init; }

    /// <summary>What journals show of a value that may contain a secret; null for all of it, or nothing if it is sensitive.</summary>
    public Func<object, object>? Redact { get; init; }

    /// <summary>The expression syntax of a new value.</summary>
    public string DefaultSyntax { get; init; } = "Literal";

    /// <summary>False for a value that definitions hold directly, without an expression around it.</summary>
    public bool IsWrapped { get; init; } = true;

    /// <summary>An input with a list of allowed values.</summary>
    public static InputDescriptor Choice(string name, string defaultValue, string description, params InputOption[] options) =>
        new(name, typeof(string), defaultValue, description)
        {
            Options = options,
            Check = value => value is string text && options.All(option => option.Value != text)
                ? $"{name} must be one of {string.Join(", ", options.Select(option => option.Value))}, not '{text}'."
                : null,
        };

    /// <summary>A whole number between two inclusive bounds.</summary>
    public static InputDescriptor Number(string name, int defaultValue, int min, int max, string description) =>
        new(name, typeof(int), defaultValue, description)
        {
            Check = value => value is int number && (number < min || number > max)
                ? $"{name} must be between {min} and {max}, not {number}."
                : null,
        };
}

/// <summary>An allowed value of an input, and its label.</summary>
public sealed record InputOption(string Text, string Value);

/// <summary>One output of an activity.</summary>
/// <param name="Name">PascalCase; a definition's JSON has its binding in camelCase.</param>
/// <param name="Type">The type of its value.</param>
/// <param name="Description">Meaning and unit, as shown to people.</param>
public sealed record OutputDescriptor(string Name, Type Type, string Description);

/// <summary>Outcomes that several activities share.</summary>
public static class Outcome
{
    public const string Done = "Done";
}
