using Darkroom.Access;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Access;

/// <summary>
/// In development, registers the API key from the configuration, so that the first upload needs no set-up. Elsewhere, logs how to
/// create the first key if there is none. Runs after the migrations.
/// </summary>
internal sealed partial class DevelopmentKey(
    ApiKeyStore keys, IHostEnvironment environment, IOptions<AccessOptions> options, ILogger<DevelopmentKey> logger) : IHostedService
{
    public const string Owner = "development";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (environment.IsDevelopment() && options.Value.DevelopmentKey is { Length: > 0 } text)
            await keys.UpsertAsync(text, Owner, "development key", Scopes.All, cancellationToken);
        else if (!await keys.AnyAsync(cancellationToken))
            LogNoKeys();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "There are no API keys yet, so nobody can call the API. Create one: dotnet ApiService.dll keys create --owner NAME")]
    private partial void LogNoKeys();
}
