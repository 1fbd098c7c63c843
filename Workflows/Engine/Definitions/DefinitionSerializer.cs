using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Darkroom.Engine.Definitions;

/// <summary>
/// Definitions as Elsa 3 JSON: what editors send is taken apart into the content, which is the editor's, and the rest, which is the
/// server's; and put together again to be shown. The root is kept as it came.
/// </summary>
public sealed class DefinitionSerializer(ActivityCatalog catalog)
{
    /// <summary>Carried in the definition's custom properties, which editors preserve: what the editor has seen.</summary>
    public const string RevisionProperty = "darkroomRevision";

    private const string Schema = "https://elsaworkflows.io/schemas/workflow-definition/v3.0.0/schema.json";
    private const int LongestName = 200;

    /// <summary>Members that say which version this is and what has become of it: never an editor's to decide.</summary>
    private static readonly HashSet<string> Identity = new(
        ["$schema", "id", "definitionId", "createdAt", "version", "isLatest", "isPublished", "isSystem", "links", "materializerName", "isMaterializerAvailable"],
        StringComparer.Ordinal);

    private static readonly string[] Lists = ["variables", "inputs", "outputs", "outcomes"];

    /// <summary>How definitions are written. Relaxed: expressions are full of quotes and signs, and people read the files.</summary>
    public static JsonSerializerOptions Format { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The definition that an editor or a file holds, as it is to be kept.</summary>
    /// <exception cref="WorkflowDefinitionException">It cannot be kept, not even as a draft; the messages say why.</exception>
    public WorkflowDocument Read(JsonObject model)
    {
        var name = ActivityTree.Text(model, "name")?.Trim();
        if (string.IsNullOrEmpty(name)) throw new WorkflowDefinitionException("A workflow needs a name.");
        if (name.Length > LongestName || name.Any(char.IsControl))
            throw new WorkflowDefinitionException($"A workflow's name is one line of at most {LongestName} characters.");
        if (model["root"] is not JsonObject root || ActivityTree.Text(root, "id") is null || ActivityTree.Text(root, "type") is null)
            throw new WorkflowDefinitionException("The definition has no root: an activity with an id and a type.");

        var content = new JsonObject { ["name"] = name, ["description"] = Clone(model["description"]), ["toolVersion"] = Clone(model["toolVersion"]) };
        foreach (var list in Lists) content[list] = model[list] is JsonArray items ? items.DeepClone() : new JsonArray();
        content["customProperties"] = CustomProperties(model);
        content["isReadonly"] = model["isReadonly"]?.GetValueKind() == JsonValueKind.True;
        content["options"] = model["options"] is JsonObject options ? options.DeepClone() : new JsonObject();
        foreach (var (other, value) in model.Where(member => !content.ContainsKey(member.Key) && !Identity.Contains(member.Key) && member.Key != "root"))
            content[other] = Clone(value);
        content["root"] = MissingActivities.Restore((JsonObject)root.DeepClone());

        var text = content.ToJsonString(Format);
        CheckBodies((JsonObject)content["root"]!);
        // Parsed from the text that is kept: one that could not be read back must not be kept.
        return WorkflowDocument.Parse(text);
    }

    /// <summary>What this editor has seen, as far as it says.</summary>
    public static Guid? RevisionOf(JsonObject model) =>
        model["customProperties"] is JsonObject custom && Guid.TryParse(ActivityTree.Text(custom, RevisionProperty), out var revision) ? revision : null;

    /// <summary>The definition as an editor is shown it: every activity with its node id, unknown ones as placeholders.</summary>
    public JsonObject Show(WorkflowDefinition version)
    {
        var (definition, content) = Assemble(version);
        ((JsonObject)definition["customProperties"]!)[RevisionProperty] = version.Summary.Revision.ToString("N");
        definition["materializerName"] = "Json";
        definition["isMaterializerAvailable"] = true;
        var root = MissingActivities.Hide(content, catalog);
        ActivityTree.AssignNodeIds(root);
        definition["root"] = root;
        return definition;
    }

    /// <summary>The definition as a file: Elsa's format with nothing of ours in it.</summary>
    public static JsonObject Export(WorkflowDefinition version)
    {
        var (definition, root) = Assemble(version);
        ActivityTree.AssignNodeIds(root);
        definition["root"] = root;
        definition.Insert(0, "$schema", Schema);
        return definition;
    }

    /// <summary>Elsa's own activity types in this definition that are not run here, each with what takes its place, if something does.</summary>
    public IReadOnlyList<string> UnsupportedElsaTypes(WorkflowDocument document)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        ActivityTree.Replace((JsonObject)document.Json["root"]!, activity =>
        {
            var (type, version) = ActivityTree.TypeOf(activity);
            if (type.StartsWith("Elsa.", StringComparison.Ordinal) && type != ActivityTree.Flowchart && !catalog.Knows(type, version))
                found.Add(catalog.FlowForm(type) is { } flow ? $"{type}, which is not run here; {flow} is." : $"{type}, which is not run here.");
            return activity;
        });
        return [.. found];
    }

    /// <summary>Whether a stored version and a document say the same, whatever version it is to be.</summary>
    internal static bool SameContent(WorkflowDefinition version, WorkflowDocument document) =>
        JsonNode.DeepEquals(Comparable(JsonNode.Parse(version.Text)!), Comparable(document.Json.DeepClone()));

    private void CheckBodies(JsonObject root)
    {
        var wrong = new List<string>();
        ActivityTree.Replace(root, activity =>
        {
            if (catalog.Find(ActivityTree.TypeOf(activity).Type) is { BodyPort: { } port } descriptor
                && activity[char.ToLowerInvariant(port[0]) + port[1..]] is JsonObject body && ActivityTree.Text(body, "type") is { } type && type != ActivityTree.Flowchart)
                wrong.Add($"{ActivityTree.Text(activity, "name") ?? descriptor.DisplayName}: its {port} is an {type}, which is not run here. Make it a Flowchart.");
            return activity;
        });
        if (wrong.Count > 0) throw new WorkflowDefinitionException(wrong);
    }

    private static (JsonObject Definition, JsonObject Root) Assemble(WorkflowDefinition version)
    {
        var content = (JsonObject)JsonNode.Parse(version.Text)!;
        var summary = version.Summary;
        var definition = new JsonObject
        {
            ["id"] = summary.Id,
            ["definitionId"] = summary.DefinitionId,
            ["name"] = summary.Name,
            ["description"] = Clone(content["description"]),
            ["createdAt"] = summary.CreatedAt,
            ["version"] = summary.Version,
            ["toolVersion"] = Clone(content["toolVersion"]),
        };
        foreach (var list in Lists) definition[list] = Clone(content[list]) ?? new JsonArray();
        definition["customProperties"] = CustomProperties(content);
        definition["isReadonly"] = Clone(content["isReadonly"]) ?? false;
        definition["isSystem"] = false;
        definition["isLatest"] = summary.IsLatest;
        definition["isPublished"] = summary.IsPublished;
        definition["options"] = Clone(content["options"]) ?? new JsonObject();
        foreach (var (other, value) in content.Where(member => !definition.ContainsKey(member.Key) && !Identity.Contains(member.Key) && member.Key != "root"))
            definition[other] = Clone(value);
        return (definition, (JsonObject)content["root"]!.DeepClone());
    }

    private static JsonObject CustomProperties(JsonObject model)
    {
        var custom = (JsonObject?)Clone(model["customProperties"] as JsonObject) ?? [];
        custom.Remove(RevisionProperty);
        return custom;
    }

    private static JsonObject Comparable(JsonNode definition)
    {
        var content = definition.AsObject();
        foreach (var member in content.Select(member => member.Key).Where(Identity.Contains).ToList()) content.Remove(member);
        if (content["root"] is JsonObject root) ActivityTree.AssignNodeIds(root);
        return content;
    }

    private static JsonNode? Clone(JsonNode? json) => json?.DeepClone();
}
