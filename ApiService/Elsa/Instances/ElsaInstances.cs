using Darkroom.Access;
using Darkroom.Api.Server;
using Darkroom.Retention;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>The part of Elsa's API that shows runs: instances, journals, activity executions and live updates.</summary>
public static class ElsaInstances
{
    public static IServiceCollection AddElsaInstances(this IServiceCollection services)
    {
        services.AddInstanceRemoval();
        services.AddSignalR();
        services.AddSingleton<WatchedInstances>();
        services.AddHostedService<InstanceAnnouncer>();
        services.AddSingleton(new InstalledFeature(
            "RealTimeWorkflowUpdates", "Elsa", "Elsa.RealTimeWorkflowUpdates", "Live updates", "Shows running instances as they change."));
        return services;
    }

    /// <param name="elsa">The group of Elsa's API, which requires <c>workflows:read</c>.</param>
    public static void MapElsaInstances(this IEndpointRouteBuilder elsa)
    {
        var queries = elsa.MapGroup("");
        queries.WithRequestTimeout(ApiServer.QueryTimeout);
        queries.MapPost("/workflow-instances", InstanceEndpoints.SearchAsync);
        queries.MapGet("/workflow-instances/{id}", InstanceEndpoints.GetAsync);
        queries.MapGet("/workflow-instances/{id}/execution-state", InstanceEndpoints.GetStateAsync);
        queries.MapGet("/workflow-instances/{id}/variables", InstanceEndpoints.GetVariablesAsync);
        queries.MapMethods("/workflow-instances/{id}/journal", [HttpMethods.Get, HttpMethods.Post], InstanceEndpoints.GetJournalAsync);
        queries.MapPost("/activity-executions/report", ExecutionEndpoints.ReportAsync);
        queries.MapGet("/activity-executions/list", ExecutionEndpoints.ListAsync);
        queries.MapGet("/activity-executions/by-id", ExecutionEndpoints.GetAsync);
        queries.MapGet("/activity-executions/{id}/call-stack", ExecutionEndpoints.GetCallStackAsync);
        queries.MapGet("/activity-execution-summaries/list", ExecutionEndpoints.ListSummariesAsync);
        elsa.MapGet("/workflow-instances/{id}/export", InstanceBulk.ExportOneAsync);
        elsa.MapPost("/bulk-actions/export/workflow-instances", InstanceBulk.ExportAsync);

        var edit = elsa.MapGroup("").RequireAuthorization(Scopes.WorkflowsEdit);
        edit.MapPost("/cancel/workflow-instances/{id}", InstanceEndpoints.CancelAsync);
        edit.MapDelete("/workflow-instances/{id}", InstanceEndpoints.DeleteAsync);
        edit.MapPost("/bulk-actions/cancel/workflow-instances", InstanceBulk.CancelAsync);
        edit.MapPost("/bulk-actions/delete/workflow-instances/by-id", InstanceBulk.DeleteAsync);
        edit.MapPost("/bulk-actions/import/workflow-instances", () => InstanceProblems.NoImport);
    }

    /// <summary>Maps the hub for live updates, <c>/elsa/hubs/workflow-instance</c>.</summary>
    public static void MapElsaInstanceHub(this IEndpointRouteBuilder routes) =>
        routes.MapHub<WorkflowInstanceHub>("/elsa/hubs/workflow-instance", hub => hub.CloseOnAuthenticationExpiration = true)
            .RequireAuthorization(Scopes.WorkflowsRead);
}
