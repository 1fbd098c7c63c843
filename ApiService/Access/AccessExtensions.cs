using Darkroom.Access;
using Microsoft.AspNetCore.Authentication;

namespace Darkroom.Api.Access;

public static class AccessExtensions
{
    /// <summary>
    /// API keys as the one way in: <c>RequireAuthorization(Scopes.Requests)</c> and its like guard endpoints; <c>UseAuthentication</c> and
    /// <c>UseAuthorization</c> must be in the pipeline.
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
