using Darkroom.Access;
using Darkroom.Api.Access;

namespace Darkroom.Api.Elsa.Run;

/// <summary>Studio's Run button: Studio reads one response header, which names the instance to show.</summary>
internal static class RunEndpoint
{
    private const string InstanceHeader = "x-elsa-workflow-instance-id";
    private const string CannotStartHeader = "x-elsa-workflow-cannot-start";

    public static IServiceCollection AddElsaRun(this IServiceCollection services) => services.AddSingleton<SampleRun>();

    public static void MapElsaRun(this IEndpointRouteBuilder api) =>
        api.MapPost("/workflow-definitions/{definitionId}/execute", ExecuteAsync).RequireAuthorization(Scopes.WorkflowsEdit);

    private static async Task<IResult> ExecuteAsync(string definitionId, HttpContext context, SampleRun runs)
    {
        switch (await runs.StartAsync(context.User.OwnerId(), definitionId, context.RequestAborted))
        {
            case SampleRunResult.Started started:
                var id = started.Instance.ToString("D");
                context.Response.Headers[InstanceHeader] = id;
                return ElsaJson.Ok(new { WorkflowInstanceId = id, CannotStart = false });
            case SampleRunResult.Refused refused:
                context.Response.Headers[CannotStartHeader] = "true";
                return ElsaProblems.Refused("workflow_not_valid", refused.Reasons);
            default:
                return ElsaProblems.NotFound("workflow definition of this id");
        }
    }
}
