using System.Text.Json;
using System.Text.Json.Serialization;

namespace Darkroom.Engine.Flow;

/// <summary>
/// The snapshot of a running instance: everything its next step depends on besides the definition and its bookmarks. It is one
/// JSON column, rewritten by each step's transaction; it stays small because image bytes and CSV rows are never stored in variables.
/// </summary>
public sealed record WorkflowState
{
    /// <summary>False until the start activity has been scheduled.</summary>
    public bool Started { get; init; }

    /// <summary>Activities that are due, in order.</summary>
    public IReadOnlyList<ScheduledActivity> Scheduled { get; init; } = [];

    /// <summary>Values of the workflow's variables by name.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>The request's inputs, by name.</summary>
    public IReadOnlyDictionary<string, JsonElement> Inputs { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Outputs of the activities that have completed, by the activity's id and the output's name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>> Outputs { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, JsonElement>>();

    /// <summary>Failed attempts to resume an activity, by the bookmark's id.</summary>
    public IReadOnlyDictionary<Guid, int>? ResumeAttempts { get; init; }

    /// <summary>What went wrong; the last incident faulted the instance.</summary>
    public IReadOnlyList<Incident> Incidents { get; init; } = [];

    /// <summary>Webhooks that the workflow asked for, sent when the run has ended.</summary>
    public IReadOnlyList<WebhookRegistration> Webhooks { get; init; } = [];

    /// <summary>Number of the last activity execution.</summary>
    public long Sequence { get; init; }

    /// <summary>The state of a new instance: nothing has run, nothing is due yet.</summary>
    public static WorkflowState New { get; } = new();

    internal string ToJson() => JsonSerializer.Serialize(this, EngineJson.Default.WorkflowState);

    internal static WorkflowState FromJson(string json) => JsonSerializer.Deserialize(json, EngineJson.Default.WorkflowState)!;
}

/// <summary>An activity that is due.</summary>
/// <param name="ActivityId">Its id in the definition.</param>
/// <param name="Attempt">1 at first, higher after transient failures.</param>
/// <param name="ExecutionId">Id of the execution, the same for every attempt.</param>
public sealed record ScheduledActivity(string ActivityId, int Attempt = 1, Guid? ExecutionId = null);

/// <summary>A failure that ended an instance, in our own words.</summary>
public sealed record Incident(string ActivityId, string ActivityType, string Code, string Message, DateTimeOffset Timestamp);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WorkflowState))]
internal sealed partial class EngineJson : JsonSerializerContext;
