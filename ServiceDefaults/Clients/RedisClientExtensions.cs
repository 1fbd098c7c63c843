using Aspire.StackExchange.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// What the package Aspire.StackExchange.Redis offers, for builds without it: same call, same configuration, same behaviour,
/// less the traces of single commands.
/// </summary>
public static class RedisClientExtensions
{
    private const string Section = "Aspire:StackExchange:Redis";

    /// <summary>An <see cref="IConnectionMultiplexer"/> for the connection string of this name, with a health check.</summary>
    public static void AddRedisClient(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<StackExchangeRedisSettings>? configureSettings = null,
        Action<ConfigurationOptions>? configureOptions = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        var sections = new[]
        {
            builder.Configuration.GetSection(Section),
            builder.Configuration.GetSection(Section).GetSection(connectionName),
        };
        var settings = new StackExchangeRedisSettings();
        foreach (var section in sections) section.Bind(settings);
        settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
        configureSettings?.Invoke(settings);

        builder.Services.AddSingleton<IConnectionMultiplexer>(services =>
        {
            var options = Parse(settings, connectionName);
            foreach (var section in sections) section.GetSection("ConfigurationOptions").Bind(options);
            configureOptions?.Invoke(options);
            options.LoggerFactory ??= services.GetService<ILoggerFactory>();
            return ConnectionMultiplexer.Connect(options);
        });
        if (!settings.DisableAutoActivation) builder.Services.ActivateSingleton<IConnectionMultiplexer>();
        if (!settings.DisableHealthChecks)
            builder.Services.AddHealthChecks().AddTypeActivatedCheck<RedisHealthCheck>("StackExchange.Redis");
    }

    private static ConfigurationOptions Parse(StackExchangeRedisSettings settings, string name)
    {
        if (string.IsNullOrWhiteSpace(settings.ConnectionString))
            throw new InvalidOperationException(
                $"There is no connection string for Redis. Set ConnectionStrings__{name} (or {Section}:ConnectionString).");
        var options = ConfigurationOptions.Parse(settings.ConnectionString);
        // A service that starts before Redis keeps trying; the string may still say otherwise.
        if (!settings.ConnectionString.Contains("abortConnect", StringComparison.OrdinalIgnoreCase)) options.AbortOnConnectFail = false;
        return options;
    }

    private sealed class RedisHealthCheck(IServiceProvider services) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                // Resolved here: building the connection may fail, and that is a result too.
                var redis = services.GetRequiredService<IConnectionMultiplexer>();
                await redis.GetDatabase().PingAsync().WaitAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                return new HealthCheckResult(context.Registration.FailureStatus, "Redis does not answer.", e);
            }
        }
    }
}
