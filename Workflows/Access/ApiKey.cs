using Darkroom.Data;

namespace Darkroom.Access;

/// <summary>A key as lists show it: everything but the secret.</summary>
public sealed record ApiKey(
    string Prefix,
    string Name,
    OwnerId Owner,
    string OwnerName,
    IReadOnlyList<string> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? LastUsedAt,
    DateTimeOffset? RevokedAt);

/// <summary>A key at its birth, the only time its text exists outside its holder's hands.</summary>
/// <param name="Text">The whole key.</param>
/// <param name="WebhookSecret">The signing secret of an owner who came into being with this key; else null.</param>
public sealed record CreatedApiKey(ApiKey Key, string Text, string? WebhookSecret);

/// <summary>Whom a presented key speaks for, and what it may do.</summary>
public sealed record VerifiedApiKey(string Prefix, OwnerId Owner, string OwnerName, IReadOnlyList<string> Scopes);
