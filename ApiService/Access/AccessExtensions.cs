using Darkroom.Access;
using Microsoft.AspNetCore.Authentication;

namespace Darkroom.Api.Access;

public static class AccessExtensions
{
    /// <summary>
    /// Authentication by API key, and one authorization policy per scope: guard an endpoint with <c>RequireAuthorization(Scopes.Requests)</c>.
    /// <c>UseAuthentication</c> and <c>UseAuthorization</c> must be in the pipeline.
    /// </summary>
    public static IHostApplicationBuilder AddAccess(this IHostApplicationBuilder builder)
    {
        builder.Services.AddApiKeys();
        builder.Services.AddAuthentication(ApiKeyDefaults.Scheme)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyDefaults.Scheme, configureOptions: null);
        var authorization = builder.Services.AddAuthorizationBuilder();
        foreach (var scope in Scopes.All)
            authorization.AddPolicy(scope, policy => policy.RequireAuthenticatedUser().RequireAssertion(context => context.User.HasScope(scope)));
        builder.Services.AddHostedService<DevelopmentKey>();
        return builder;
    }
}
