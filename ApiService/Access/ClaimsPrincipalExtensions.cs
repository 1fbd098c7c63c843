using System.Security.Claims;
using Darkroom.Access;
using Darkroom.Data;

namespace Darkroom.Api.Access;

public static class ClaimsPrincipalExtensions
{
    /// <summary>The owner of the caller's key. Use only behind a scope policy, where the claim is always present.</summary>
    public static OwnerId OwnerId(this ClaimsPrincipal user) =>
        user.FindFirstValue(ApiKeyDefaults.OwnerClaim) is { } id
            ? new OwnerId(Guid.Parse(id))
            : throw new InvalidOperationException("The caller is not authenticated. Does the endpoint have a scope policy?");

    public static bool HasScope(this ClaimsPrincipal user, string scope) =>
        Scopes.Cover(user.FindAll(ApiKeyDefaults.ScopeClaim).Select(claim => claim.Value), scope);
}
