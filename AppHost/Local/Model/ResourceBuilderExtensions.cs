using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>What can be said of a resource: Aspire's calls, with Aspire's signatures.</summary>
public static class ResourceBuilderExtensions
{
    /// <summary>Does not start before the other is healthy; of a project, all replicas.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
    {
        if (ReferenceEquals(builder.Resource, dependency.Resource))
            throw new InvalidOperationException($"'{builder.Resource.Name}' cannot wait for itself.");
        ((Resource)(IResource)builder.Resource).WaitsFor.Add(dependency.Resource);
        return builder;
    }

    /// <summary><c>ConnectionStrings__{name}</c> in the environment.</summary>
    public static IResourceBuilder<T> WithReference<T>(
        this IResourceBuilder<T> builder,
        IResourceBuilder<IResourceWithConnectionString> source,
        string? connectionName = null,
        bool optional = false)
        where T : IResourceWithEnvironment
    {
        var name = $"ConnectionStrings__{connectionName ?? source.Resource.Name}";
        return builder.With(async (environment, cancellation) =>
        {
            var value = await source.Resource.GetConnectionStringAsync(cancellation);
            if (value is not null) environment[name] = value;
            else if (!optional) throw new InvalidOperationException($"'{source.Resource.Name}' has no connection string.");
        });
    }

    /// <summary><c>services__{name}__{endpoint}__0</c> in the environment, for service discovery.</summary>
    public static IResourceBuilder<T> WithReference<T>(
        this IResourceBuilder<T> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where T : IResourceWithEnvironment =>
        builder.With((environment, _) =>
        {
            foreach (var endpoint in ((ProjectResource)source.Resource).Endpoints)
                environment[$"services__{source.Resource.Name}__{endpoint.EndpointName}__0"] = endpoint.Url;
            return Task.CompletedTask;
        });

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment =>
        builder.With((environment, _) =>
        {
            environment[name] = value ?? "";
            return Task.CompletedTask;
        });

    public static IResourceBuilder<T> WithEnvironment<T>(
        this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment =>
        builder.With(async (environment, cancellation) =>
            environment[name] = await parameter.Resource.GetValueAsync(cancellation) ?? "");

    public static IResourceBuilder<T> WithEnvironment<T>(
        this IResourceBuilder<T> builder, string name, EndpointReference endpointReference)
        where T : IResourceWithEnvironment =>
        builder.WithEnvironment(name, endpointReference.Url);

    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params string[] args)
        where T : IResourceWithArgs
    {
        Project(builder.Resource).Arguments.AddRange(args);
        return builder;
    }

    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 1);
        builder.Resource.Replicas = replicas;
        RefuseSharedEndpoint(builder.Resource);
        return builder;
    }

    /// <summary>The port is the service's own: there is no proxy before it.</summary>
    public static IResourceBuilder<T> WithHttpEndpoint<T>(
        this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? name = null, string? env = null, bool isProxied = true)
        where T : IResourceWithEndpoints
    {
        if (targetPort is not null && targetPort != port)
            throw ResourceExtensions.Unsupported("a target port that differs from the port", "leave targetPort out");
        if (env is not null)
            throw ResourceExtensions.Unsupported("a variable for the port", "read ASPNETCORE_URLS in the service");
        var project = Project(builder.Resource);
        name ??= "http";
        if (project.Endpoints.Any(endpoint => endpoint.EndpointName == name))
            throw new InvalidOperationException($"'{project.Name}' already has an endpoint '{name}'.");
        project.Endpoints.Add(new EndpointReference(project, name, port ?? Darkroom.AppHost.Local.FreePort.Find()));
        RefuseSharedEndpoint(project);
        return builder;
    }

    /// <summary>Of meaning where the model is deployed; here every endpoint is on localhost.</summary>
    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints => builder;

    /// <summary>Healthy when this path answers as it should.</summary>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(
        this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null)
        where T : IResourceWithEndpoints
    {
        if (statusCode is not (null or 200) || endpointName is not (null or "http"))
            throw ResourceExtensions.Unsupported("a health check with a status or endpoint of its own", "leave both out: 200, on 'http'");
        Project(builder.Resource).HealthPath = path ?? "/";
        return builder;
    }

    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name)
        where T : IResourceWithEndpoints =>
        Project(builder.Resource).Endpoints.FirstOrDefault(endpoint => endpoint.EndpointName == name)
        ?? throw new InvalidOperationException($"'{builder.Resource.Name}' has no endpoint '{name}'.");

    private static void RefuseSharedEndpoint(ProjectResource project)
    {
        if (project is { Replicas: > 1, Endpoints.Count: > 0 })
            throw ResourceExtensions.Unsupported(
                $"replicas of '{project.Name}', which has an endpoint: they would need a proxy before them",
                "run one, or build with UseAspirePackages=true");
    }

    private static IResourceBuilder<T> With<T>(
        this IResourceBuilder<T> builder, Func<IDictionary<string, string>, CancellationToken, Task> apply)
        where T : IResourceWithEnvironment
    {
        Project(builder.Resource).Environment.Add(apply);
        return builder;
    }

    private static ProjectResource Project(IResource resource) =>
        resource as ProjectResource ?? throw ResourceExtensions.Unsupported($"this call on '{resource.Name}'", "use it on a project");
}
