using System.Net;
using System.Net.Http.Json;
using Darkroom.Access;

namespace Darkroom.Tests.Api;

/// <summary>Whose things an endpoint shows or changes.</summary>
internal enum EndpointKind
{
    /// <summary>One owner's thing, named by its id.</summary>
    Owned,

    /// <summary>The caller's own things, without naming them: lists, and what the call creates.</summary>
    Own,

    /// <summary>Nobody's: workflow definitions, which run for every owner and which the operator's people edit, and what the engine can do.</summary>
    Shared,
}

/// <summary>The ids of what an owner has.</summary>
internal sealed record OwnedThings(string Request, string Instance, string Execution, string Delivery, string Endpoint)
{
    /// <summary>What stands for one of the ids in a response.</summary>
    public const string IdMark = "<id>";

    public const string AlicesDisabledEndpoint = "https://alices-gone.test/hook";

    public static OwnedThings Malformed { get; } = new("no-id", "no-id", "no-id", "no.id", "no-url");

    public IReadOnlyList<string> Ids => [Request, Instance, Execution, Delivery, Endpoint];

    /// <summary>Text that only a response about alice's things contains.</summary>
    public static IReadOnlyList<string> Marks { get; } = ["alices-", "images.test", IdMark];

    public static OwnedThings Unknown() => new($"{Guid.NewGuid()}", $"{Guid.NewGuid()}", $"{Guid.NewGuid()}", $"msg_{Guid.NewGuid():N}", $"https://{Guid.NewGuid():N}.test/");
}

/// <param name="Name">Method and route pattern.</param>
/// <param name="Kind">Whose things it concerns.</param>
/// <param name="Scope">The scope that a key needs; null if any valid key will do.</param>
/// <param name="Call">Path and body of a call about these things.</param>
/// <param name="Expected">The response to a call about another owner's.</param>
internal sealed record KnownEndpoint(
    string Name, EndpointKind Kind, string? Scope, Func<OwnedThings, (string Path, HttpContent? Body)> Call, HttpStatusCode Expected = HttpStatusCode.NotFound)
{
    /// <summary>GET for an endpoint that takes every method.</summary>
    public string Method => Name[..Name.IndexOf(' ', StringComparison.Ordinal)] is var method and not "*" ? method : "GET";
}

/// <summary>Every endpoint of the API that needs a key. The others are public.</summary>
internal static class EndpointCatalog
{
    private const string Elsa = "/elsa/api";

    /// <summary>
    /// Open to everyone; a pattern that ends in ** covers what starts with it. A new endpoint belongs here only if everyone may see its
    /// responses.
    /// </summary>
    private static readonly string[] Public =
    [
        "/health", "/alive", "/openapi/**", "/scalar/**", "/i/{image}/{mac}", "/", "/pages/**",
        "/studio", "/studio/sign-in", "/studio/site/**", "/studio/workflows/**", "/studio/{**path}", "DELETE /studio/session",
    ];

    public static IReadOnlyList<KnownEndpoint> All { get; } =
    [
        // Requests and webhooks.
        Own("POST /v1/requests", Scopes.Requests, _ => ("/v1/requests", ApiClient.Form(("file", "S. No.,Product Name,Input Image Urls\n1,Lamp,https://bobs.test/1.jpg\n")))),
        Own("GET /v1/requests", Scopes.Requests),
        Owned("GET /v1/requests/{id}", Scopes.Requests, things => things.Request),
        Owned("GET /v1/requests/{id}/images", Scopes.Requests, things => things.Request),
        Owned("GET /v1/requests/{id}/input.csv", Scopes.Requests, things => things.Request),
        Owned("HEAD /v1/requests/{id}/input.csv", Scopes.Requests, things => things.Request),
        Owned("GET /v1/requests/{id}/output.csv", Scopes.Requests, things => things.Request),
        Owned("HEAD /v1/requests/{id}/output.csv", Scopes.Requests, things => things.Request),
        Owned("POST /v1/requests/{id}/cancel", Scopes.Requests, things => things.Request),
        Owned("POST /v1/requests/{id}/retry", Scopes.Requests, things => things.Request),
        Owned("GET /v1/requests/{id}/webhooks", Scopes.Requests, things => things.Request),
        Owned("POST /v1/webhooks/{id}/replay", Scopes.Requests, things => things.Delivery),
        Owned("POST /v1/webhooks/endpoints/enable", Scopes.Requests, things => ("/v1/webhooks/endpoints/enable", Json(new { url = things.Endpoint }))),
        Own("POST /v1/webhooks/secret/rotate", Scopes.Requests),

        // Runs.
        Own($"POST {Elsa}/workflow-instances", Scopes.WorkflowsRead, _ => ($"{Elsa}/workflow-instances", Json(new { pageSize = 1000 }))),
        Owned($"GET {Elsa}/workflow-instances/{{id}}", Scopes.WorkflowsRead, things => things.Instance),
        Owned($"GET {Elsa}/workflow-instances/{{id}}/execution-state", Scopes.WorkflowsRead, things => things.Instance),
        Owned($"GET {Elsa}/workflow-instances/{{id}}/variables", Scopes.WorkflowsRead, things => things.Instance),
        Owned($"GET {Elsa}/workflow-instances/{{id}}/journal", Scopes.WorkflowsRead, things => things.Instance),
        Owned($"POST {Elsa}/workflow-instances/{{id}}/journal", Scopes.WorkflowsRead, things => things.Instance),
        Owned($"GET {Elsa}/workflow-instances/{{id}}/export", Scopes.WorkflowsRead, things => things.Instance),
        Owned($"POST {Elsa}/activity-executions/report", Scopes.WorkflowsRead, things => ($"{Elsa}/activity-executions/report", Json(new { workflowInstanceId = things.Instance }))),
        Owned($"GET {Elsa}/activity-executions/list", Scopes.WorkflowsRead, things => ($"{Elsa}/activity-executions/list?WorkflowInstanceId={things.Instance}", null)),
        Owned($"GET {Elsa}/activity-execution-summaries/list", Scopes.WorkflowsRead,
            things => ($"{Elsa}/activity-execution-summaries/list?WorkflowInstanceId={things.Instance}", null)),
        Owned($"GET {Elsa}/activity-executions/by-id", Scopes.WorkflowsRead, things => ($"{Elsa}/activity-executions/by-id?id={things.Execution}", null)),
        Owned($"GET {Elsa}/activity-executions/{{id}}/call-stack", Scopes.WorkflowsRead, things => things.Execution),
        Owned($"POST {Elsa}/cancel/workflow-instances/{{id}}", Scopes.WorkflowsEdit, things => things.Instance),
        Owned($"DELETE {Elsa}/workflow-instances/{{id}}", Scopes.WorkflowsEdit, things => things.Instance),
        OwnedIds($"POST {Elsa}/bulk-actions/export/workflow-instances", Scopes.WorkflowsRead),
        OwnedIds($"POST {Elsa}/bulk-actions/delete/workflow-instances/by-id", Scopes.WorkflowsEdit),
        Own($"POST {Elsa}/bulk-actions/cancel/workflow-instances", Scopes.WorkflowsEdit,
            _ => ($"{Elsa}/bulk-actions/cancel/workflow-instances", Json(new { definitionId = "image-compression", versionOptions = "AllVersions" }))),
        Shared($"POST {Elsa}/bulk-actions/import/workflow-instances", Scopes.WorkflowsEdit),
        Own($"POST {Elsa}/workflow-definitions/{{definitionId}}/execute", Scopes.WorkflowsEdit, _ => ($"{Elsa}/workflow-definitions/image-compression/execute", null)),
        // Whom a connection may watch is tested with the hub.
        Shared("* /elsa/hubs/workflow-instance", Scopes.WorkflowsRead),
        Shared("* /elsa/hubs/workflow-instance/negotiate", Scopes.WorkflowsRead),

        // Sessions.
        Own("GET /studio/session", scope: null),
        Own("POST /studio/session", Scopes.WorkflowsRead),

        // Workflow definitions.
        Shared("GET /v1/workflows", Scopes.Requests),
        .. Reading(
            "GET /features/installed", "GET /features/installed/{fullName}",
            "GET /descriptors/activities", "GET /descriptors/activities/{typeName}", "POST /descriptors/activities/{typeName}/options/{property}",
            "GET /descriptors/expression-descriptors", "GET /descriptors/workflow-activation-strategies", "GET /descriptors/incident-strategies",
            "GET /descriptors/log-persistence-strategies", "GET /descriptors/commit-strategies/workflows", "GET /descriptors/commit-strategies/activities",
            "GET /descriptors/variables", "GET /descriptors/storage-drivers", "GET /descriptors/output-converters",
            "POST /scripting/javascript/type-definitions/{definitionId}",
            "GET /workflow-definitions", "GET /workflow-definitions/by-definition-id/{definitionId}", "GET /workflow-definitions/by-id/{id}",
            "GET /workflow-definitions/many-by-id", "GET /workflow-definitions/query/count", "GET /workflow-definitions/validation/is-name-unique",
            "GET /workflow-definitions/{definitionId}/versions", "GET /workflow-definitions/{definitionId}/consumers",
            "GET /workflow-definitions/{definitionId}/export", "POST /workflow-definitions/{definitionId}/export",
            "POST /bulk-actions/export/workflow-definitions"),
        .. Editing(
            "POST /workflow-definitions", "POST /workflow-definitions/{definitionId}/publish", "POST /workflow-definitions/{definitionId}/retract",
            "POST /workflow-definitions/{definitionId}/revert/{version:int}", "DELETE /workflow-definitions/{definitionId}",
            "DELETE /workflow-definition-versions/{id}", "DELETE /workflow-definitions/{definitionId}/version/{version:int}",
            "POST /workflow-definitions/{definitionId}/update-references",
            "POST /workflow-definitions/import", "PUT /workflow-definitions/import",
            "POST /workflow-definitions/{definitionId}/import", "PUT /workflow-definitions/{definitionId}/import", "POST /workflow-definitions/import-files",
            "POST /bulk-actions/delete/workflow-definitions/by-definition-id", "POST /bulk-actions/delete/workflow-definitions/by-id",
            "POST /bulk-actions/publish/workflow-definitions/by-definition-ids", "POST /bulk-actions/retract/workflow-definitions/by-definition-ids",
            "POST /tests/activities"),
    ];

    public static KnownEndpoint Find(string name) => All.Single(known => known.Name == name);

    /// <param name="name">Method and route pattern.</param>
    public static bool IsPublic(string name)
    {
        var pattern = name[(name.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        return Public.Any(known => known == name || known == pattern
            || (known.EndsWith("/**", StringComparison.Ordinal) && (pattern + "/").StartsWith(known[..^2], StringComparison.Ordinal)));
    }

    private static KnownEndpoint Owned(string name, string scope, Func<OwnedThings, string> id) =>
        Owned(name, scope, things => (Pattern(name).Replace("{id}", id(things), StringComparison.Ordinal), null));

    private static KnownEndpoint Owned(string name, string scope, Func<OwnedThings, (string, HttpContent?)> call) => new(name, EndpointKind.Owned, scope, call);

    private static KnownEndpoint OwnedIds(string name, string scope) =>
        new(name, EndpointKind.Owned, scope, things => (Pattern(name), Json(new { ids = new[] { things.Instance } })), HttpStatusCode.OK);

    private static KnownEndpoint Own(string name, string? scope, Func<OwnedThings, (string, HttpContent?)>? call = null) =>
        new(name, EndpointKind.Own, scope, call ?? (_ => (Pattern(name), null)));

    // Without the scope, the ids in the path are never looked up.
    private static KnownEndpoint Shared(string name, string scope) => new(
        name, EndpointKind.Shared, scope,
        _ => (Pattern(name).Replace("{version:int}", "1", StringComparison.Ordinal).Replace("{definitionId}", "image-compression", StringComparison.Ordinal)
            .Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal), null));

    private static IEnumerable<KnownEndpoint> Reading(params string[] names) => names.Select(name => Shared(InElsa(name), Scopes.WorkflowsRead));

    private static IEnumerable<KnownEndpoint> Editing(params string[] names) => names.Select(name => Shared(InElsa(name), Scopes.WorkflowsEdit));

    private static string InElsa(string name) => name.Replace(" /", $" {Elsa}/", StringComparison.Ordinal);

    private static string Pattern(string name) => name[(name.IndexOf(' ', StringComparison.Ordinal) + 1)..];

    private static JsonContent Json(object body) => JsonContent.Create(body);
}
