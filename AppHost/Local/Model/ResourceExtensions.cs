using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>What can be put into the model: Aspire's calls, with Aspire's signatures.</summary>
public static class ResourceExtensions
{
    /// <summary>A Postgres server: found on this machine or fetched. Its data is always kept, in the data folder.</summary>
    public static IResourceBuilder<PostgresServerResource> AddPostgres(
        this IDistributedApplicationBuilder builder,
        string name,
        IResourceBuilder<ParameterResource>? userName = null,
        IResourceBuilder<ParameterResource>? password = null,
        int? port = null)
    {
        if (userName is not null || password is not null)
            throw Unsupported("a user or password for Postgres", "leave them out: both are made and kept in the data folder");
        return builder.AddResource(new PostgresServerResource(name) { Port = port ?? Port(builder, "Postgres") });
    }

    /// <summary>A database on that server, created if it is missing.</summary>
    public static IResourceBuilder<PostgresDatabaseResource> AddDatabase(
        this IResourceBuilder<PostgresServerResource> builder, string name, string? databaseName = null)
    {
        var database = new PostgresDatabaseResource(name, databaseName ?? name, builder.Resource);
        database.WaitsFor.Add(builder.Resource);
        builder.Resource.Databases.Add(database);
        return builder.ApplicationBuilder.AddResource(database);
    }

    public static IResourceBuilder<PostgresServerResource> WithDataVolume(
        this IResourceBuilder<PostgresServerResource> builder, string? name = null, bool isReadOnly = false) =>
        isReadOnly ? throw Unsupported("a read-only volume", "leave isReadOnly out") : builder;

    /// <summary>Redis' protocol, spoken by Garnet in this process.</summary>
    public static IResourceBuilder<RedisResource> AddRedis(this IDistributedApplicationBuilder builder, string name, int? port = null) =>
        builder.AddResource(new RedisResource(name) { Port = port ?? Port(builder, "Redis") });

    /// <summary>A given connection string, from <c>ConnectionStrings:{name}</c> or the variable named.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddConnectionString(
        this IDistributedApplicationBuilder builder, string name, string? environmentVariableName = null)
    {
        var configuration = builder.Configuration;
        return builder.AddResource(new ConnectionStringResource(name, () =>
            (environmentVariableName is null ? configuration.GetConnectionString(name) : configuration[environmentVariableName])
            ?? throw new InvalidOperationException(
                $"There is no connection string '{name}'. Set {environmentVariableName ?? $"ConnectionStrings__{name}"}.")));
    }

    public static IResourceBuilder<ConnectionStringResource> AddConnectionString(
        this IDistributedApplicationBuilder builder, string name, ReferenceExpression connectionStringExpression) =>
        builder.AddResource(new ConnectionStringResource(name, () => connectionStringExpression.ValueExpression));

    /// <summary>A value from <c>Parameters:{name}</c>, dashes in the name also as underscores.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, bool secret = false)
    {
        var configuration = builder.Configuration;
        return builder.AddResource(new ParameterResource(name, () =>
            configuration[$"Parameters:{name}"]
            ?? configuration[$"Parameters:{name.Replace('-', '_')}"]
            ?? throw new InvalidOperationException(
                $"The parameter '{name}' has no value. Set Parameters__{name.Replace('-', '_')}.")));
    }

    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, string value, bool publishValueAsDefault = false, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, () => value));

    /// <summary>A project that this one references.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new() =>
        throw Unsupported(
            "a project with a launch profile", "give launchProfileName: null, and say its endpoints and environment in Program.cs");

    public static IResourceBuilder<ProjectResource> AddProject<TProject>(
        this IDistributedApplicationBuilder builder, string name, string? launchProfileName)
        where TProject : IProjectMetadata, new() =>
        launchProfileName is null
            ? builder.AddResource(new ProjectResource(name, (ILocalProject)(object)new TProject()))
            : builder.AddProject<TProject>(name);

    /// <summary>Containers need an engine, which the local host does without.</summary>
    public static IResourceBuilder<IResource> AddContainer(this IDistributedApplicationBuilder builder, string name, string image) =>
        throw Unsupported($"the container '{name}' ({image})", "build with UseAspirePackages=true, or start it yourself and use AddConnectionString");

    public static IResourceBuilder<IResource> AddContainer(
        this IDistributedApplicationBuilder builder, string name, string image, string tag) =>
        builder.AddContainer(name, $"{image}:{tag}");

    /// <summary>Programs that are not projects of this solution.</summary>
    public static IResourceBuilder<IResource> AddExecutable(
        this IDistributedApplicationBuilder builder, string name, string command, string workingDirectory, params string[]? args) =>
        throw Unsupported($"the program '{name}' ({command})", "build with UseAspirePackages=true, or make it a project and use AddProject");

    internal static NotSupportedException Unsupported(string what, string alternative) =>
        new($"The local host does not support {what}. Instead, {alternative}.");

    private static int Port(IDistributedApplicationBuilder builder, string name) =>
        builder.Configuration[$"Ports:{name}"] is not { Length: > 0 } text ? 0
        : int.TryParse(text, CultureInfo.InvariantCulture, out var port) && port is >= 0 and <= 65535 ? port
        : throw new Darkroom.AppHost.Hosting.SettingException(
            $"Ports:{name} is '{text}'. It must be a port, 1 to 65535, or 0 for any free one.");
}
