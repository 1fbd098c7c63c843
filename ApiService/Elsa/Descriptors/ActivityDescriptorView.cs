using System.Text.RegularExpressions;
using Darkroom.Engine;

namespace Darkroom.Api.Elsa.Descriptors;

/// <summary>An activity type in the form that Studio's toolbox and property panels expect.</summary>
internal sealed record ActivityDescriptorView
{
    public required string TypeName { get; init; }
    public string Namespace => TypeName[..Math.Max(0, TypeName.LastIndexOf('.'))];
    public string Name => TypeName[(TypeName.LastIndexOf('.') + 1)..];
    public int Version { get; init; } = 1;
    public required string Category { get; init; }
    public required string DisplayName { get; init; }
    public required string Description { get; init; }
    public IReadOnlyList<InputView> Inputs { get; init; } = [];
    public IReadOnlyList<OutputView> Outputs { get; init; } = [];
    public string Kind { get; init; } = "Action";
    public bool RunAsynchronously { get; }
    public IReadOnlyList<PortView> Ports { get; init; } = [];
    public IReadOnlyDictionary<string, object> CustomProperties { get; } = new Dictionary<string, object>();
    public IReadOnlyDictionary<string, object> ConstructionProperties { get; } = new Dictionary<string, object>();
    public bool IsContainer { get; init; }
    public bool IsBrowsable { get; init; } = true;
    public bool IsStart { get; init; }
    public bool IsTerminal { get; init; }

    /// <summary>Types that the toolbox does not offer: the canvas itself, and the placeholder for unknown types.</summary>
    public static IReadOnlyList<ActivityDescriptorView> Structural { get; } =
    [
        new()
        {
            TypeName = "Elsa.Flowchart",
            Category = "Flow",
            DisplayName = "Flowchart",
            Description = "Activities and the connections between them.",
            IsContainer = true,
            IsBrowsable = false,
        },
        new()
        {
            TypeName = "Elsa.NotFoundActivity",
            Category = "System",
            DisplayName = "Unknown activity",
            Description = "A placeholder for an activity of an unknown type. The original is kept, and restored once the type is known.",
            Ports = [new PortView(Outcome.Done, "Flow")],
            IsBrowsable = false,
        },
    ];

    public static ActivityDescriptorView From(ActivityDescriptor activity) => new()
    {
        TypeName = activity.TypeName,
        Version = activity.Version,
        Category = activity.Category,
        DisplayName = activity.DisplayName,
        Description = activity.Description,
        Inputs = [.. activity.Inputs.Select(InputView.From)],
        Outputs = [.. activity.Outputs.Select(OutputView.From)],
        Kind = activity.IsTrigger ? "Trigger" : "Action",
        Ports =
        [
            .. activity.BodyPort is { } body ? [new PortView(body, "Embedded")] : Array.Empty<PortView>(),
            .. activity.BranchPorts.Select(port => new PortView(port, "Embedded")),
            .. activity.Outcomes.Select(outcome => new PortView(outcome, "Flow")),
        ],
        IsBrowsable = activity.IsBrowsable,
        IsStart = activity.IsTrigger,
        // Without a flow port Studio draws its own, unless the activity is terminal.
        IsTerminal = activity.Outcomes.Count == 0,
    };
}

internal sealed record InputView(string Name, string TypeName, string DisplayName, string Description, float Order)
{
    public bool IsBrowsable { get; } = true;
    public bool IsSerializable { get; } = true;
    public bool IsSynthetic { get; }
    public bool IsWrapped { get; init; }
    public required string UiHint { get; init; }
    public string? Category { get; init; }
    public object? DefaultValue { get; init; }
    public required string DefaultSyntax { get; init; }
    public bool IsReadOnly { get; }
    public bool IsSensitive { get; init; }
    public string? StorageDriverType { get; }
    public bool AutoEvaluate { get; } = true;
    public object? UiSpecifications { get; init; }

    public static InputView From(InputDescriptor input, int order) => new(
        input.Name, TypeNames.Of(input.Type), input.DisplayName ?? TypeNames.Words(input.Name), input.Description, order)
    {
        IsWrapped = input.IsWrapped,
        UiHint = input.UiHint ?? (input.Options.Count > 0 ? "dropdown" : input.Type == typeof(bool) ? "checkbox" : "singleline"),
        Category = input.Category,
        DefaultValue = input.Default,
        DefaultSyntax = input.DefaultSyntax,
        IsSensitive = input.IsSensitive,
        UiSpecifications = input.Options.Count == 0
            ? null
            : new { Dropdown = new { SelectList = new { Items = input.Options, IsFlagsEnum = false, SortItems = false }, ProviderName = (string?)null } },
    };
}

internal sealed record OutputView(string Name, string TypeName, string DisplayName, string Description, float Order)
{
    public bool IsBrowsable { get; } = true;
    public bool IsSerializable { get; } = true;
    public bool IsSynthetic { get; }

    public static OutputView From(OutputDescriptor output, int order) =>
        new(output.Name, TypeNames.Of(output.Type), TypeNames.Words(output.Name), output.Description, order);
}

internal sealed record PortView(string Name, string Type)
{
    public string DisplayName => Name;
    public bool IsBrowsable { get; } = true;
}

/// <summary>Elsa's short type names.</summary>
internal static partial class TypeNames
{
    public static string Of(Type type) => type == typeof(System.Text.Json.JsonElement) ? "Object" : type.Name;

    /// <summary><c>MaxAttempts</c> as separate words.</summary>
    public static string Words(string name)
    {
        var words = Boundary().Replace(name, " ");
        return words.Length == 0 ? words : words[0] + words[1..].ToLowerInvariant();
    }

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])")]
    private static partial Regex Boundary();
}
