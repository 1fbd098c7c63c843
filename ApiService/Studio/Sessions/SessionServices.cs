using Microsoft.AspNetCore.Authentication;

namespace Darkroom.Api.Studio.Sessions;

internal static class SessionServices
{
    /// <summary>Makes scope policies accept Studio's session beside API keys. After <c>AddAccess</c>, whose default it replaces.</summary>
    public static IServiceCollection AddStudioSessions(this IServiceCollection services)
    {
        services.AddSingleton<StudioSessionStore>();
        services.AddAuthentication(StudioSessionDefaults.KeyOrSession)
            .AddScheme<AuthenticationSchemeOptions, StudioSessionHandler>(StudioSessionDefaults.Scheme, configureOptions: null)
            .AddPolicyScheme(StudioSessionDefaults.KeyOrSession, displayName: null, choice =>
                choice.ForwardDefaultSelector = context =>
                    StudioSessionDefaults.Applies(context.Request) ? StudioSessionDefaults.Scheme : Darkroom.Api.Access.ApiKeyDefaults.Scheme);
        return services;
    }
}
