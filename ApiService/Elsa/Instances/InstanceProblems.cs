using Darkroom.Api.Problems;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>Problems of the instance endpoints.</summary>
internal static class InstanceProblems
{
    /// <summary>The same response for an id that is malformed, unknown, or another owner's, so that nobody can tell which.</summary>
    public static ApiProblem NotFound { get; } = ElsaProblems.NotFound("such workflow instance");

    public static ApiProblem ExecutionNotFound { get; } = ElsaProblems.NotFound("such activity execution");

    public static ApiProblem StillRunning { get; } =
        ElsaProblems.Conflict("instance_running", "The workflow instance is running. Cancel it first: only a finished instance can be deleted.");

    public static ApiProblem NoImport { get; } = ElsaProblems.Refused(
        "import_not_supported",
        "Workflow instances cannot be imported: an instance belongs to an uploaded CSV, which the file does not hold. Upload the CSV instead.");

    public static ApiProblem NoIds { get; } = ElsaProblems.Refused("ids_required", $"Name one to {InstanceBulk.MaxIds} instances in ids.");

    public static ApiProblem NothingNamed { get; } = ElsaProblems.Refused(
        "instances_required", $"Name one to {InstanceBulk.MaxIds} instances in ids, or a workflow by definitionVersionId or by definitionId and versionOptions.");
}
