using System.Security.Claims;
using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Instances;

internal static class InstanceCaller
{
    /// <summary>Administrators see everyone's instances, others those of their own requests.</summary>
    public static InstanceScope InstanceScope(this ClaimsPrincipal user) =>
        user.HasScope(Scopes.Admin) ? Darkroom.Runs.InstanceScope.Everyone : new InstanceScope(user.OwnerId());
}
