namespace Darkroom.Engine;

/// <summary>The activity types that this build runs, by the names that definitions use.</summary>
public sealed class ActivityCatalog(IEnumerable<ActivityRegistration> registrations)
{
    private readonly Dictionary<string, ActivityRegistration> _types =
        registrations.ToDictionary(registration => registration.Descriptor.TypeName, StringComparer.Ordinal);

    public IEnumerable<ActivityDescriptor> Descriptors => _types.Values.Select(registration => registration.Descriptor);

    /// <exception cref="WorkflowDefinitionException">The type is not known in this version, or may not stand here.</exception>
    internal ActivityRegistration Find(ActivityNode node, ActivityPlace place)
    {
        if (!_types.TryGetValue(node.Type, out var type) || type.Descriptor.Version != node.Version)
            throw new WorkflowDefinitionException($"{node.Name}: {node.Type} version {node.Version} is not an activity that is known here.");
        if (!type.Descriptor.Place.HasFlag(place))
            throw new WorkflowDefinitionException(place == ActivityPlace.Workflow
                ? $"{node.Name}: {node.Type} belongs in the body of a fan-out."
                : $"{node.Name}: {node.Type} cannot run inside the body of a fan-out.");
        return type;
    }
}
