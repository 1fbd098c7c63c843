using Darkroom.Data;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Darkroom.Runs;

/// <summary>
/// Brings the schema and the shipped definitions into the database before anything else starts, and waits for a database that
/// is not up yet. Every process does it; the first one finds work.
/// </summary>
internal sealed partial class DatabaseStartup(
    SchemaMigrator schema, DefinitionSeeder definitions, TimeProvider time, ILogger<DatabaseStartup> logger) : IHostedService
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            try
            {
                await schema.MigrateAsync(cancellationToken);
                await definitions.SeedAsync(cancellationToken);
                return;
            }
            catch (Exception e) when (DatabaseErrors.IsTransient(e) && time.GetElapsedTime(begun) < Patience)
            {
                LogWaiting(e.Message);
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

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
