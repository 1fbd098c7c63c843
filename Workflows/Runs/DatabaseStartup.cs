using Darkroom.Data;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Darkroom.Runs;

/// <summary>
/// Migrates the schema and seeds the shipped definitions before anything else starts, and waits for a database that
/// is not up yet. Every process does this; only the first one has work to do.
/// </summary>
internal sealed partial class DatabaseStartup(
    SchemaMigrator schema, DefinitionSeeder definitions, TimeProvider time, ILogger<DatabaseStartup> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => DatabaseWait.RunAsync(PrepareAsync, time, LogWaiting, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await schema.MigrateAsync(cancellationToken);
        await definitions.SeedAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Waiting for the database: {Reason}")]
    private partial void LogWaiting(string reason);
}

public static class DatabaseStartupServices
{
    /// <summary>Adds migration and seeding, to run before all other hosted services: call it first.</summary>
    public static IServiceCollection AddDatabaseStartup(this IServiceCollection services)
    {
        services.AddSingleton<SchemaMigrator>();
        services.AddHostedService<DatabaseStartup>();
        return services;
    }
}
