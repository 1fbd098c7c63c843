using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Darkroom.Engine.Definitions;

/// <summary>
/// Reads and writes definitions as Elsa 3 JSON. What an editor sends is split into the content, which the editor owns, and the rest,
/// which the server owns; showing a definition puts them together again. The root is stored as it is, but for what earlier versions of Elsa, or one
/// that lacked some activities, have written differently.
/// </summary>
public sealed class DefinitionSerializer(ActivityCatalog catalog)
{
    /// <summary>A custom property, which editors preserve, with the revision that the editor has seen.</summary>
    public const string RevisionProperty = "darkroomRevision";

    private const string Schema = "https://elsaworkflows.io/schemas/workflow-definition/v3.0.0/schema.json";
    private const int MaxNameLength = 200;

    /// <summary>Members that identify a version and say what state it is in: editors cannot change them.</summary>
    private static readonly HashSet<string> Identity = new(
        ["$schema", "id", "definitionId", "createdAt", "version", "isLatest", "isPublished", "isSystem", "links", "materializerName", "isMaterializerAvailable"],
        StringComparer.Ordinal);

    private static readonly string[] Lists = ["variables", "inputs", "outputs", "outcomes"];

    /// <summary>How definitions are written. Relaxed escaping: expressions are full of quotes, and people read the files.</summary>
    public static JsonSerializerOptions Format { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads the definition that an editor or a file holds, ready to be stored.</summary>
    /// <exception cref="WorkflowDefinitionException">It cannot be stored, not even as a draft; the messages say why.</exception>
    public WorkflowDocument Read(JsonObject model)
    {
        var name = ActivityTree.Text(model, "name")?.Trim();
        if (string.IsNullOrEmpty(name))
            throw new WorkflowDefinitionException("A workflow needs a name.");
        if (name.Length > MaxNameLength || name.Any(char.IsControl))
            throw new WorkflowDefinitionException($"A workflow's name is one line of at most {MaxNameLength} characters.");
        if (model["root"] is not JsonObject root || ActivityTree.Text(root, "id") is null || ActivityTree.Text(root, "type") is null)
            throw new WorkflowDefinitionException("The definition has no root: an activity with an id and a type.");

        var content = new JsonObject { ["name"] = name, ["description"] = Clone(model["description"]), ["toolVersion"] = Clone(model["toolVersion"]) };
        foreach (var list in Lists)
            content[list] = model[list] is JsonArray items ? items.DeepClone() : new JsonArray();
        content["customProperties"] = CustomProperties(model);
        content["isReadonly"] = model["isReadonly"]?.GetValueKind() == JsonValueKind.True;
        content["options"] = model["options"] is JsonObject options ? options.DeepClone() : new JsonObject();
        foreach (var (other, value) in model.Where(member => !content.ContainsKey(member.Key) && !Identity.Contains(member.Key) && member.Key != "root"))
            content[other] = Clone(value);
        content["root"] = ConnectionForms.Restore(MissingActivities.Restore((JsonObject)root.DeepClone()));

        var text = content.ToJsonString(Format);
        CheckBodies((JsonObject)content["root"]!);
        // Parse the text that will be stored: a definition that cannot be read back must not be stored.
        return WorkflowDocument.Parse(text);
    }

    /// <summary>The revision that this editor has seen, if it says.</summary>
    public static Guid? RevisionOf(JsonObject model) =>
        model["customProperties"] is JsonObject custom && Guid.TryParse(ActivityTree.Text(custom, RevisionProperty), out var revision) ? revision : null;

    /// <summary>The definition as editors see it: every activity with its node id, unknown ones as placeholders.</summary>
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

    /// <summary>The definition as a file in Elsa's format, without our additions.</summary>
    public static JsonObject Export(WorkflowDefinition version)
    {
        var (definition, root) = Assemble(version);
        ActivityTree.AssignNodeIds(root);
        definition["root"] = root;
        definition.Insert(0, "$schema", Schema);
        return definition;
    }

    /// <summary>Elsa's activity types in this definition that this engine does not run, each with its replacement, if there is one.</summary>
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

    /// <summary>Whether a stored version and a document have the same content, whatever their version numbers.</summary>
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
        if (wrong.Count > 0)
            throw new WorkflowDefinitionException(wrong);
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
        foreach (var list in Lists)
            definition[list] = Clone(content[list]) ?? new JsonArray();
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
        foreach (var member in content.Select(member => member.Key).Where(Identity.Contains).ToList())
            content.Remove(member);
        if (content["root"] is JsonObject root)
            ActivityTree.AssignNodeIds(root);
        return content;
    }

    private static JsonNode? Clone(JsonNode? json) => json?.DeepClone();
}
