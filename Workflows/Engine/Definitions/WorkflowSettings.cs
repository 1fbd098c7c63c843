using System.Text.Json;
using System.Text.Json.Nodes;

namespace Darkroom.Engine.Definitions;

/// <summary>
/// How a definition wants its instances to be started, committed and ended on failure. This engine has one way of each, so any
/// other is reported and not ignored. Type names are Elsa's, with or without their assembly.
/// </summary>
public sealed record WorkflowSettings
{
    /// <summary>Each request starts an instance of its own.</summary>
    public const string AllowAlways = "Elsa.Workflows.ActivationValidators.AllowAlwaysStrategy";

    /// <summary>An activity that fails for good ends its instance.</summary>
    public const string Fault = "Elsa.Workflows.IncidentStrategies.FaultStrategy";

    /// <summary>The assembly of Elsa's types, as its definitions name it.</summary>
    public const string Assembly = "Elsa.Workflows.Core";

    public string? Activation { get; init; }
    public string? Incidents { get; init; }
    public string? Commits { get; init; }
    public bool IsActivity { get; init; }

    /// <summary>Names of declared outputs and outcomes.</summary>
    public IReadOnlyList<string> Results { get; init; } = [];

    /// <summary>Names of the variables that are not to be stored.</summary>
    public IReadOnlyList<string> InMemory { get; init; } = [];

    internal static WorkflowSettings Read(JsonObject definition)
    {
        var options = definition["options"] as JsonObject ?? [];
        return new()
        {
            Activation = Text(options, "activationStrategyType"),
            Incidents = Text(options, "incidentStrategyType"),
            Commits = Text(options, "commitStrategyName"),
            IsActivity = options["usableAsActivity"]?.GetValueKind() == JsonValueKind.True,
            Results = [.. Items(definition, "outputs").Concat(Items(definition, "outcomes")).Select(Name)],
            InMemory = [.. ActivityTree.Objects(definition, "variables").Where(IsInMemory).Select(Name)],
        };
    }

    internal void Check(ValidationErrors errors)
    {
        if (Activation is not null && TypeName(Activation) != AllowAlways)
            errors.Add($"Settings: the activation strategy {ShortName(Activation)} is not run here; every request starts an instance of its own. Choose Always.");
        if (Incidents is not null && TypeName(Incidents) != Fault)
            errors.Add($"Settings: the incident strategy {ShortName(Incidents)} is not run here; an activity that fails for good ends the request. Choose Fault.");
        if (Commits is not null)
            errors.Add($"Settings: the commit strategy {Commits} is not run here; every activity is committed as it completes. Choose Default.");
        if (IsActivity)
            errors.Add("Settings: a workflow cannot be used as an activity here. Clear Usable as activity.");
        foreach (var result in Results)
            errors.Add($"Settings: the output or outcome {result} goes nowhere here. Remove it.");
        foreach (var variable in InMemory)
            errors.Add($"Settings: the variable {variable} is to be kept in memory, which is not done here. Choose Workflow instance as its storage.");
    }

    private static bool IsInMemory(JsonObject variable) =>
        Text(variable, "storageDriverTypeName") is { } driver && ShortName(driver) == "MemoryStorageDriver";

    private static string Name(JsonNode? declared) => declared is JsonObject json ? ActivityTree.Text(json, "name") ?? "" : declared?.ToString() ?? "";

    private static JsonArray Items(JsonObject definition, string name) => definition[name] as JsonArray ?? [];

    private static string TypeName(string name) => name.Split(',')[0].Trim();

    private static string ShortName(string name) => TypeName(name).Split('.')[^1];

    private static string? Text(JsonObject options, string name) => ActivityTree.Text(options, name) is { Length: > 0 } text ? text : null;
}
