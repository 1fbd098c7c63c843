namespace Darkroom.Access;

/// <summary>What an API key may do. Each scope is also the name of the authorization policy that requires it.</summary>
public static class Scopes
{
    /// <summary>Upload CSVs; read, cancel and retry the owner's requests; list and replay their webhooks.</summary>
    public const string Requests = "requests";

    public const string WorkflowsRead = "workflows:read";

    /// <summary>Draft, publish and delete workflow definitions. Includes reading them.</summary>
    public const string WorkflowsEdit = "workflows:edit";

    /// <summary>Everything.</summary>
    public const string Admin = "admin";

    public static IReadOnlyList<string> All { get; } = [Requests, WorkflowsRead, WorkflowsEdit, Admin];

    /// <summary>Whether the granted scopes include <paramref name="required"/>, directly or by implication.</summary>
    public static bool Cover(IEnumerable<string> granted, string required) =>
        granted.Any(scope => scope == required || scope == Admin || (scope == WorkflowsEdit && required == WorkflowsRead));
}
