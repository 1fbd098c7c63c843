using Darkroom.Data;

namespace Darkroom.Api.Studio.Sessions;

/// <summary>Whom a sign-in to Studio speaks for, what it may do, and until when it is believed.</summary>
internal sealed record StudioSession(OwnerId Owner, string OwnerName, string KeyPrefix, IReadOnlyList<string> Scopes, DateTimeOffset ExpiresAt);
