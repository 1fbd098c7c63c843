namespace Darkroom.Engine;

/// <summary>The activity types that this build runs, by the names that definitions use.</summary>
public sealed class ActivityCatalog
{
    private readonly Dictionary<string, WorkflowActivity> _workflow;
    private readonly Dictionary<string, ImageActivity> _images;

    public ActivityCatalog(IEnumerable<WorkflowActivity> workflow, IEnumerable<ImageActivity> images)
    {
        _workflow = workflow.ToDictionary(activity => activity.Descriptor.TypeName, StringComparer.Ordinal);
        _images = images.ToDictionary(activity => activity.Descriptor.TypeName, StringComparer.Ordinal);
    }

    public IEnumerable<ActivityDescriptor> Descriptors =>
        _workflow.Values.Select(a => a.Descriptor).Concat(_images.Values.Select(a => a.Descriptor));

    internal WorkflowActivity FindWorkflowActivity(ActivityNode node) =>
        _workflow.TryGetValue(node.Type, out var activity) && activity.Descriptor.Version == node.Version
            ? activity
            : throw NotHere(node, _images.ContainsKey(node.Type) ? "belongs in the body of a fan-out" : null);

    internal ImageActivity FindImageActivity(ActivityNode node) =>
        _images.TryGetValue(node.Type, out var activity) && activity.Descriptor.Version == node.Version
            ? activity
            : throw NotHere(node, _workflow.ContainsKey(node.Type) ? "cannot run inside the body of a fan-out" : null);

    private static WorkflowDefinitionException NotHere(ActivityNode node, string? reason) =>
        new($"{node.Name}: {node.Type} version {node.Version} {reason ?? "is not an activity that is known here"}.");
}
