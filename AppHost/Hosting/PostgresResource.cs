using System.Globalization;
using Darkroom.AppHost.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Darkroom.AppHost.Hosting;

/// <summary>A Postgres server that runs as a process, from an installed Postgres or the npm package. Needs no container engine.</summary>
internal sealed class PostgresProcessResource(string name, string password)
    : ExecutableResource(name, "postgres", "."), IResourceWithConnectionString
{
    public EndpointReference Endpoint => new(this, "tcp");

    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create(
        $"Host=127.0.0.1;Port={Endpoint.Property(EndpointProperty.Port)};Username=postgres;Password={password}");
}

/// <summary>A database on that server, created when the server is ready.</summary>
internal sealed class PostgresProcessDatabaseResource(string name, PostgresProcessResource parent)
    : Resource(name), IResourceWithParent<PostgresProcessResource>, IResourceWithConnectionString
{
    public PostgresProcessResource Parent { get; } = parent;

    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{Parent};Database={Name}");
}

internal static partial class PostgresResource
{
    public static IResourceBuilder<PostgresProcessResource> AddPostgresProcess(
        this IDistributedApplicationBuilder builder, string name, LocalRun run)
    {
        var server = new PostgresProcessResource(name, run.Data.Secrets.PostgresPassword);
        var arguments = new List<string>();
        return builder.AddResource(server)
            .WithEndpoint(port: run.Settings.PostgresPort, scheme: "tcp", name: "tcp", isProxied: false)
            .WithIconName("Database")
            .ExcludeFromManifest()
            .WithArgs(context =>
            {
                foreach (var argument in arguments)
                    context.Args.Add(argument);
            })
            .WithStartupHealthCheck(cancellationToken => ConnectAsync(server, cancellationToken))
            .OnBeforeResourceStarted(async (_, started, cancellationToken) =>
            {
                var log = started.Services.GetRequiredService<ResourceLoggerService>().GetLogger(server);
                var options = new PostgresClusterOptions
                {
                    Folder = run.Data.PathTo(name),
                    Source = run.Settings.PostgresSource,
                    Binaries = run.Settings.PostgresBinaries,
                    Password = run.Data.Secrets.PostgresPassword,
                    Log = line => LogLine(log, line),
                    Progress = line =>
                    {
                        LogLine(log, line);
                        LocalRun.Print(name, line);
                    },
                };
                // Not earlier: downloading and initializing can take a minute, and from here on the dashboard shows the progress.
                var cluster = await PostgresCluster.PrepareAsync(options, cancellationToken);
                var port = await server.Endpoint.Property(EndpointProperty.Port).GetValueAsync(cancellationToken);
                var launch = server.Annotations.OfType<ExecutableAnnotation>().Last();
                launch.WorkingDirectory = cluster.Folder.Home;
                (launch.Command, var commandArguments) = cluster.ServerCommand(int.Parse(port!, CultureInfo.InvariantCulture), options);
                arguments.Clear();
                arguments.AddRange(commandArguments);
            });
    }

    public static IResourceBuilder<PostgresProcessDatabaseResource> AddDatabase(
        this IResourceBuilder<PostgresProcessResource> server, string name)
    {
        var database = new PostgresProcessDatabaseResource(name, server.Resource);
        server
            .OnResourceReady(async (_, ready, cancellationToken) =>
            {
                await CreateAsync(server.Resource, name, cancellationToken);
                await PublishAsync(ready.Services, KnownResourceStates.Running);
            })
            .OnResourceStopped((_, stopped, _) => PublishAsync(stopped.Services, KnownResourceStates.Exited));
        return server.ApplicationBuilder.AddResource(database)
            .ExcludeFromManifest()
            .WithIconName("DatabaseMultiple")
            .WithInitialState(new CustomResourceSnapshot
            {
                ResourceType = "Database",
                State = KnownResourceStates.NotStarted,
                Properties = [new ResourcePropertySnapshot(CustomResourceKnownProperties.Source, name)],
            })
            .WithStartupHealthCheck(cancellationToken => ConnectAsync(database, cancellationToken));

        // Aspire propagates the state of a container to its child resources, but not the state of a process.
        Task PublishAsync(IServiceProvider services, string state) =>
            services.GetRequiredService<ResourceNotificationService>().PublishUpdateAsync(database, snapshot => snapshot with { State = state });
    }

    private static async Task CreateAsync(PostgresProcessResource server, string name, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create((await server.ConnectionStringExpression.GetValueAsync(cancellationToken))!);
        await using var exists = source.CreateCommand("select 1 from pg_database where datname = $1");
        exists.Parameters.AddWithValue(name);
        if (await exists.ExecuteScalarAsync(cancellationToken) is not null)
            return;
        await using var create = source.CreateCommand($"create database {new NpgsqlCommandBuilder().QuoteIdentifier(name)}");
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task ConnectAsync(IResourceWithConnectionString resource, CancellationToken cancellationToken)
    {
        var connectionString = await resource.GetConnectionStringAsync(cancellationToken);
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Timeout = 5 }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Information, "{Line}")]
    private static partial void LogLine(ILogger log, string line);
}
