using Darkroom.Engine.Bodies;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;

namespace Darkroom.Engine;

/// <summary>The activity types that this build can run, by type name.</summary>
public sealed class ActivityCatalog(IEnumerable<ActivityRegistration> registrations, ExpressionLanguages? languages = null)
{
    private const string Elsa = "Elsa.";

    private readonly Dictionary<string, ActivityRegistration> _types =
        registrations.ToDictionary(registration => registration.Descriptor.TypeName, StringComparer.Ordinal);

    public IEnumerable<ActivityDescriptor> Descriptors => _types.Values.Select(registration => registration.Descriptor);

    /// <summary>The languages that definitions may use for expressions.</summary>
    public ExpressionLanguages Languages { get; } = languages ?? ExpressionLanguages.Default;

    internal ActivityDescriptor? Describe(ActivityNode node) => _types.GetValueOrDefault(node.Type)?.Descriptor;

    /// <summary>The type with this name, or null.</summary>
    public ActivityDescriptor? Find(string type) => _types.GetValueOrDefault(type)?.Descriptor;

    /// <summary>Whether this build has this version of the type.</summary>
    public bool Knows(string type, int version) => _types.TryGetValue(type, out var known) && known.Descriptor.Version == version;

    /// <summary>The flowchart counterpart of an Elsa activity type that embeds other activities; null if there is none.</summary>
    public string? FlowForm(string type) =>
        type.StartsWith(Elsa, StringComparison.Ordinal) && Find($"{Elsa}Flow{type[Elsa.Length..]}") is { } flow ? flow.TypeName : null;

    /// <summary>The node's type; null, with an error, if it is unknown. A type that does not belong here is an error too.</summary>
    internal ActivityRegistration? Find(ActivityNode node, ActivityPlace place, ValidationErrors errors)
    {
        if (!_types.TryGetValue(node.Type, out var type) || type.Descriptor.Version != node.Version)
        {
            var known = type is not null ? $" Version {type.Descriptor.Version} is." : FlowForm(node.Type) is { } flow ? $" {flow} is." : "";
            errors.Add(node, $"{node.Type} version {node.Version} is not an activity that is known here.{known}");
            return null;
        }

        if (!type.Descriptor.Place.HasFlag(place))
            errors.Add(node, place == ActivityPlace.Workflow
                ? $"{node.Type} belongs in the body of a fan-out."
                : $"{node.Type} cannot run inside the body of a fan-out.");
        else if (place == ActivityPlace.ImageBody && type.Descriptor.CreatesBookmark)
            errors.Add(node, $"{node.Type} waits, and the body of a fan-out runs in one go: it cannot wait there.");
        return type;
    }
}
