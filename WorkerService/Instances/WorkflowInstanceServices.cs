using Darkroom.Retention;
using Darkroom.Runs;

namespace Darkroom.Worker.Instances;

internal static class WorkflowInstanceServices
{
    /// <summary>Adds the service that claims and runs workflow instances, and the one that removes their old journals.</summary>
    public static IServiceCollection AddWorkflowInstances(this IServiceCollection services) =>
        services.AddJournalRetention().AddHostedService<JournalRetentionService>().AddHostedService<WorkflowInstanceService>();
}
