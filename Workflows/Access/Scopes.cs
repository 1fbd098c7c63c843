namespace Darkroom.Access;

/// <summary>What an API key may do. Each scope is also the name of the authorization policy that requires it.</summary>
/// <remarks>
/// Requests, their runs, webhooks and secrets belong to an owner, and to another owner they do not exist. Workflow definitions belong to
/// nobody: they run for every owner. Give the scopes for them to the people who operate the installation, not to its users.
/// </remarks>
public static class Scopes
{
    /// <summary>Upload CSVs; read, cancel and retry the owner's requests; list and replay their webhooks.</summary>
    public const string Requests = "requests";

    /// <summary>Read all workflow definitions, with everything in them, and the runs of the owner's requests.</summary>
    public const string WorkflowsRead = "workflows:read";

    /// <summary>
    /// Draft, publish and delete workflow definitions, which changes what happens to every owner's uploads; cancel and delete runs of the
    /// owner's requests. Includes reading.
    /// </summary>
    public const string WorkflowsEdit = "workflows:edit";

    /// <summary>Everything, and the runs of every owner.</summary>
    public const string Admin = "admin";

    public static IReadOnlyList<string> All { get; } = [Requests, WorkflowsRead, WorkflowsEdit, Admin];

    /// <summary>Whether the granted scopes include <paramref name="required"/>, directly or by implication.</summary>
    public static bool Cover(IEnumerable<string> granted, string required) =>
        granted.Any(scope => scope == required || scope == Admin || (scope == WorkflowsEdit && required == WorkflowsRead));
}
