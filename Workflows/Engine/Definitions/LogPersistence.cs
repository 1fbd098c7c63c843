using System.Text.Json;
using System.Text.Json.Nodes;

namespace Darkroom.Engine.Definitions;

/// <summary>
/// Which values of an activity the journal keeps. Elsa writes it to <c>customProperties</c>: a default for the workflow and for each activity, and a
/// mode for each input and output. What inherits its mode has that of the activity, of the containing activity, or of the workflow, and is kept if
/// all of them inherit.
/// </summary>
internal sealed class LogPersistence
{
    /// <summary>Keeps everything.</summary>
    public static readonly LogPersistence Default = new(true, [], [], []);

    private readonly bool _keeps;
    private readonly Dictionary<string, bool> _inputs;
    private readonly Dictionary<string, bool> _outputs;

    private LogPersistence(bool keeps, Dictionary<string, bool> inputs, Dictionary<string, bool> outputs, IReadOnlyList<string> unknown) =>
        (_keeps, _inputs, _outputs, Unknown) = (keeps, inputs, outputs, unknown);

    /// <summary>Modes that are not known here, such as expressions. What they are for is not kept.</summary>
    public IReadOnlyList<string> Unknown { get; }

    public bool KeepsInput(string name) => _inputs.GetValueOrDefault(name, _keeps);

    public bool KeepsOutput(string name) => _outputs.GetValueOrDefault(name, _keeps);

    /// <summary>The settings of a workflow or an activity.</summary>
    /// <param name="json">The workflow's definition or the activity.</param>
    /// <param name="parent">Those of what contains it.</param>
    public static LogPersistence Read(JsonObject json, LogPersistence parent)
    {
        // Definitions that were saved before Elsa 3.3 have the older form.
        if (json["customProperties"] is not JsonObject custom || (custom["logPersistenceConfig"] ?? custom["logPersistenceMode"]) is not JsonObject settings)
            return parent.Unknown.Count == 0 && parent._inputs.Count + parent._outputs.Count == 0 ? parent : new LogPersistence(parent._keeps, [], [], []);
        var unknown = new List<string>();
        var keeps = Mode(settings["default"], unknown) ?? parent._keeps;
        return new LogPersistence(keeps, Modes(settings["inputs"], keeps, unknown), Modes(settings["outputs"], keeps, unknown), unknown);
    }

    /// <summary>Why a definition with this mode is not published.</summary>
    public static string Refusal(string mode) => $"log persistence by {mode} is not run here. Choose Include, Exclude or Inherit.";

    private static Dictionary<string, bool> Modes(JsonNode? json, bool inherited, List<string> unknown)
    {
        var modes = new Dictionary<string, bool>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, mode) in json as JsonObject ?? [])
            modes[name] = Mode(mode, unknown) ?? inherited;
        return modes;
    }

    /// <summary>Whether to keep a value; null to inherit that. It is a mode's name, the type name of a strategy, or an object with one of them.</summary>
    private static bool? Mode(JsonNode? json, List<string> unknown)
    {
        if (json is JsonObject config)
            return ActivityTree.Text(config, "evaluationMode") is null or "Strategy"
                ? Mode(config["strategyType"], unknown)
                : Unsupported("an expression", unknown);
        if (json is null)
            return null;
        var text = json.GetValueKind() == JsonValueKind.String ? json.GetValue<string>() : json.ToJsonString();
        return text.Split(',')[0].Trim().Split('.')[^1] switch
        {
            "Inherit" => null,
            "Include" => true,
            "Exclude" => false,
            var other => Unsupported(other, unknown),
        };
    }

    private static bool Unsupported(string mode, List<string> unknown)
    {
        unknown.Add(mode);
        return false;
    }
}
