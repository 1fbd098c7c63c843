namespace Darkroom.Worker.Instances;

internal static class InstanceServices
{
    /// <summary>Adds the service that claims and runs workflow instances.</summary>
    public static IServiceCollection AddWorkflowInstances(this IServiceCollection services) =>
        services.AddHostedService<WorkflowInstanceService>();
}
