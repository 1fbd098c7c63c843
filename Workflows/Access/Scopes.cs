namespace Darkroom.Access;

/// <summary>What an API key may do. Each scope is also the name of the authorization policy that demands it.</summary>
public static class Scopes
{
    /// <summary>Upload CSVs; read, cancel and retry one's own requests; see and replay their webhooks.</summary>
    public const string Requests = "requests";

    public const string WorkflowsRead = "workflows:read";

    /// <summary>Draft, publish and delete workflow definitions. Includes reading them.</summary>
    public const string WorkflowsEdit = "workflows:edit";

    /// <summary>Everything.</summary>
    public const string Admin = "admin";

    public static IReadOnlyList<string> All { get; } = [Requests, WorkflowsRead, WorkflowsEdit, Admin];

    /// <summary>Whether a key that was granted these scopes may do what <paramref name="wanted"/> stands for.</summary>
    public static bool Cover(IEnumerable<string> granted, string wanted) =>
        granted.Any(scope => scope == wanted || scope == Admin || (scope == WorkflowsEdit && wanted == WorkflowsRead));
}
