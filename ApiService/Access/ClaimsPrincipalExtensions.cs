using System.Security.Claims;
using Darkroom.Access;
using Darkroom.Data;

namespace Darkroom.Api.Access;

public static class ClaimsPrincipalExtensions
{
    /// <summary>Whom the caller's key belongs to. Only behind a scope policy: there the claim is always present.</summary>
    public static OwnerId OwnerId(this ClaimsPrincipal user) =>
        user.FindFirstValue(ApiKeyDefaults.OwnerClaim) is { } id
            ? new OwnerId(Guid.Parse(id))
            : throw new InvalidOperationException("The endpoint needs a scope policy: nobody is signed in here.");

    public static bool HasScope(this ClaimsPrincipal user, string scope) =>
        Scopes.Cover(user.FindAll(ApiKeyDefaults.ScopeClaim).Select(claim => claim.Value), scope);
}
