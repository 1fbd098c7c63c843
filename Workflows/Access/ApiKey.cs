using Darkroom.Data;

namespace Darkroom.Access;

/// <summary>An API key as listed: everything except the secret.</summary>
public sealed record ApiKey(
    string Prefix,
    string Name,
    OwnerId Owner,
    string OwnerName,
    IReadOnlyList<string> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? LastUsedAt,
    DateTimeOffset? RevokedAt);

/// <summary>A newly created key. The full text is available only now; afterwards only its hash is kept.</summary>
/// <param name="Text">The full key.</param>
/// <param name="WebhookSecret">The webhook signing secret if the owner was created together with this key; otherwise null.</param>
public sealed record CreatedApiKey(ApiKey Key, string Text, string? WebhookSecret);

/// <summary>The owner that a presented key authenticates, and its scopes.</summary>
public sealed record VerifiedApiKey(string Prefix, OwnerId Owner, string OwnerName, IReadOnlyList<string> Scopes);
