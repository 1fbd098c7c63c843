using Darkroom.Access;
using Darkroom.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Darkroom.Api.Access;

/// <summary>
/// <c>dotnet ApiService.dll keys ...</c>: creates, lists and revokes API keys, whether or not the service is running. The result
/// goes to standard output, for scripts; messages for people go to standard error.
/// </summary>
public static class KeysCommand
{
    private const string Usage =
        """
        keys create --owner NAME [--name NAME] [--scopes requests,workflows:read,workflows:edit,admin]
        keys list [--owner NAME]
        keys revoke PREFIX
        keys webhook-secret --owner NAME --rotate
        """;

    private static readonly string[] DefaultScopes = [Scopes.Requests, Scopes.WorkflowsRead];

    /// <summary>Runs the command if the arguments start with <c>keys</c> and returns its exit code; otherwise returns null.</summary>
    /// <param name="services">The services of the built host, which need not be started.</param>
    public static async Task<int?> TryRunAsync(
        string[] args, IServiceProvider services, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        if (args is not ["keys", .. var rest])
            return null;
        if (Arguments.Read(rest) is not { } arguments)
            return await PrintUsageAsync(error);

        // The service may never have run, so the schema may be missing. No logger: its lines would mix with the key on the console.
        await new SchemaMigrator(services.GetRequiredService<NpgsqlDataSource>(), NullLogger<SchemaMigrator>.Instance).MigrateAsync(cancellationToken);
        return arguments switch
        {
            { Verb: "create", Owner: { } owner, Operand: null, Rotate: false } => await CreateAsync(services, arguments, owner, output, error, cancellationToken),
            { Verb: "list", Operand: null, Rotate: false } => await ListAsync(services, arguments.Owner, output, cancellationToken),
            { Verb: "revoke", Operand: { } prefix, Owner: null } => await RevokeAsync(services, prefix, error, cancellationToken),
            { Verb: "webhook-secret", Owner: { } owner, Rotate: true } => await RotateAsync(services, owner, output, error, cancellationToken),
            _ => await PrintUsageAsync(error),
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

        var rotated = await services.GetRequiredService<WebhookSecrets>().RotateAsync(id, cancellationToken);
        await error.WriteLineAsync($"The new secret that signs the webhooks of {owner}. It is shown only once:");
        await output.WriteLineAsync(rotated.Secret);
        if (rotated.PreviousExpiresAt is { } end)
            await error.WriteLineAsync($"Webhooks are also signed with the previous secret until {Format(end)}.");
        return 0;
    }

    private static async Task<int> PrintUsageAsync(TextWriter error)
    {
        await error.WriteLineAsync(Usage);
        return 2;
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
