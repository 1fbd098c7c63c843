using System.Net.Sockets;
using Darkroom.Access;
using Darkroom.Api.Server;
using Darkroom.Data;
using Darkroom.Protection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Api.Access;

/// <summary>
/// <c>dotnet ApiService.dll keys ...</c>: creates, lists and revokes API keys, whether or not the service is running. Needs only the
/// database. The result goes to standard output, for scripts; messages and log lines go to standard error.
/// </summary>
public static class KeysCommand
{
    public const string Usage =
        """
        keys create --owner NAME [--name NAME] [--scopes requests,workflows:read,workflows:edit,admin]
        keys list [--owner NAME]
        keys revoke PREFIX
        keys webhook-secret --owner NAME --rotate
        """;

    private static readonly string[] DefaultScopes = [Scopes.Requests];

    /// <summary>Runs one command and returns its exit code: 0, 1 if it failed, or 2 if it was not understood.</summary>
    /// <param name="args">What follows <c>keys</c>.</param>
    /// <param name="builder">Supplies the configuration, which is the service's.</param>
    public static async Task<int> RunAsync(
        string[] args, WebApplicationBuilder builder, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        if (Command(Arguments.Read(args), output, error, cancellationToken) is not { } command)
        {
            await error.WriteLineAsync(Usage);
            return 2;
        }

        if (string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString("darkroom")))
        {
            await error.WriteLineAsync("No database is configured. Set ConnectionStrings__darkroom in the environment.");
            return 1;
        }

        await using var app = BuildServices(builder);
        try
        {
            // The service may never have run, so the schema may be missing.
            var migrator = new SchemaMigrator(app.Services.GetRequiredService<NpgsqlDataSource>(), app.Services.GetRequiredService<ILogger<SchemaMigrator>>());
            await migrator.MigrateAsync(cancellationToken);
            return await command(app.Services);
        }
        catch (Exception e) when (e is NpgsqlException or SocketException)
        {
            await error.WriteLineAsync($"The database cannot be used: {e.Message}");
            return 1;
        }
        catch (Exception e) when (e is OptionsValidationException or ArgumentException)
        {
            await error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static WebApplication BuildServices(WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders()
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
            .SetMinimumLevel(LogLevel.Warning);
        builder.AddNpgsqlDataSource("darkroom", configureDataSourceBuilder: ApiServer.ConfigureFastFail);
        builder.Services.AddApiKeys();
        return builder.Build();
    }

    /// <summary>Null if there is no such command.</summary>
    private static Func<IServiceProvider, Task<int>>? Command(
        Arguments? arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        return arguments switch
        {
            { Verb: "create", Owner: { } owner, Operand: null, Rotate: false } =>
                services => CreateAsync(services, arguments, owner, output, error, cancellationToken),
            { Verb: "list", Operand: null, Rotate: false } => services => ListAsync(services, arguments.Owner, output, cancellationToken),
            { Verb: "revoke", Operand: { } prefix, Owner: null } => services => RevokeAsync(services, prefix, error, cancellationToken),
            { Verb: "webhook-secret", Owner: { } owner, Rotate: true } => services => RotateAsync(services, owner, output, error, cancellationToken),
            _ => null,
        };
    }

    private static async Task<int> CreateAsync(
        IServiceProvider services, Arguments arguments, string owner, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var scopes = arguments.Scopes?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? DefaultScopes;
        if (scopes.Length == 0 || scopes.Except(Scopes.All).Any())
        {
            await error.WriteLineAsync($"Scopes must be one or more of: {string.Join(", ", Scopes.All)}.");
            return 2;
        }

        // A new owner gets a webhook secret, which is stored encrypted.
        await services.GetRequiredService<SecretStartup>().PrepareAsync(cancellationToken);
        var created = await services.GetRequiredService<ApiKeyStore>().CreateAsync(owner, arguments.Name ?? "key", scopes, cancellationToken);
        await error.WriteLineAsync($"A key for {owner} with the scopes {string.Join(",", scopes)}. It is shown only once:");
        await output.WriteLineAsync(created.Text);
        if (created.WebhookSecret is { } secret)
            await error.WriteLineAsync($"{owner} is a new owner. The secret that signs its webhooks, shown only once: {secret}");
        return 0;
    }

    private static async Task<int> ListAsync(IServiceProvider services, string? owner, TextWriter output, CancellationToken cancellationToken)
    {
        await output.WriteLineAsync("PREFIX\tOWNER\tNAME\tSCOPES\tCREATED\tLAST USED\tREVOKED");
        foreach (var key in await services.GetRequiredService<ApiKeyStore>().ListAsync(owner, cancellationToken))
        {
            await output.WriteLineAsync(string.Join(
                '\t', key.Prefix, key.OwnerName, key.Name, string.Join(',', key.Scopes), Format(key.CreatedAt), Format(key.LastUsedAt), Format(key.RevokedAt)));
        }

        return 0;
    }

    private static async Task<int> RevokeAsync(IServiceProvider services, string prefix, TextWriter error, CancellationToken cancellationToken)
    {
        // A whole key is accepted in place of its prefix.
        var revoked = await services.GetRequiredService<ApiKeyStore>().RevokeAsync(ApiKeyText.Prefix(prefix) ?? prefix, cancellationToken);
        await error.WriteLineAsync(revoked ? "The key has been revoked." : "No key has that prefix. See: keys list");
        return revoked ? 0 : 1;
    }

    private static async Task<int> RotateAsync(
        IServiceProvider services, string owner, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        if (await services.GetRequiredService<OwnerStore>().FindAsync(owner, cancellationToken) is not { } id)
        {
            await error.WriteLineAsync($"There is no owner named {owner}. See: keys list");
            return 1;
        }

        await services.GetRequiredService<SecretStartup>().PrepareAsync(cancellationToken);
        var rotated = await services.GetRequiredService<WebhookSecrets>().RotateAsync(id, cancellationToken);
        await error.WriteLineAsync($"The new secret that signs the webhooks of {owner}. It is shown only once:");
        await output.WriteLineAsync(rotated.Secret);
        if (rotated.PreviousExpiresAt is { } end)
            await error.WriteLineAsync($"Webhooks are also signed with the previous secret until {Format(end)}.");
        return 0;
    }

    private static string Format(DateTimeOffset? time) => time?.ToString("u") ?? "-";

    private sealed record Arguments(string Verb, string? Operand, string? Owner, string? Name, string? Scopes, bool Rotate)
    {
        /// <summary>Null if an argument is unknown, repeated, or has no value.</summary>
        public static Arguments? Read(string[] args)
        {
            if (args is not [var verb, .. var rest])
                return null;
            string? operand = null;
            var options = new Dictionary<string, string>();
            for (var i = 0; i < rest.Length; i++)
            {
                switch (rest[i])
                {
                    case "--rotate" when options.TryAdd("--rotate", ""):
                        break;
                    case "--owner" or "--name" or "--scopes" when i + 1 < rest.Length && rest[i + 1] is { Length: > 0 } value && options.TryAdd(rest[i], value):
                        i++;
                        break;
                    case var word when operand is null && !word.StartsWith("--", StringComparison.Ordinal):
                        operand = word;
                        break;
                    default:
                        return null;
                }
            }

            return new Arguments(
                verb,
                operand,
                options.GetValueOrDefault("--owner"),
                options.GetValueOrDefault("--name"),
                options.GetValueOrDefault("--scopes"),
                options.ContainsKey("--rotate"));
        }
    }
}
