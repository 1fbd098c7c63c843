using Darkroom.Configuration;
using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Runs;

public static class EngineServices
{
    /// <summary>Adds definitions, instances and the engine that runs them. Requires a database and registered activities.</summary>
    public static IServiceCollection AddWorkflowEngine(this IServiceCollection services)
    {
        services.AddTelemetry();
        services.AddSettings<EngineOptions>("Engine");
        services.TryAddSingleton(TimeProvider.System);
#pragma warning disable RS0030 // The only place that uses it: everything else is injected with this instance.
        services.TryAddSingleton(Random.Shared);
#pragma warning restore RS0030
        services.AddSettings<ExpressionOptions>("Expressions");
        services.AddSingleton<ExpressionLanguages>();
        services.AddSingleton<ActivityCatalog>();
        services.AddSingleton<DefinitionValidator>();
        services.AddSingleton<ActivityTrial>();
        services.AddSingleton<DefinitionSerializer>();
        services.AddSingleton<DefinitionStore>();
        services.AddSingleton<WorkflowInstanceStore>();
        services.AddSingleton<WorkflowInstanceReader>();
        services.AddSingleton<WorkflowCompiler>();
        services.AddSingleton<WorkflowRunner>();
        services.AddSingleton<FanOutBodies>();
        services.AddSingleton<DefinitionSeeder>();
        services.AddSingleton<RunFinalizer>();
        services.AddSingleton<RequestLifecycle>();
        return services;
    }
}
