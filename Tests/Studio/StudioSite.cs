using System.Net;
using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Api.Studio;
using Darkroom.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Darkroom.Tests.Studio;

/// <summary><c>/studio</c> behind the real access rules, with stand-ins for the API that Studio calls: <c>/elsa/read</c> and <c>/elsa/edit</c>.</summary>
internal sealed class StudioSite : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StudioSite(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.First());
    }

    public Uri Address { get; }
    public ApiKeyStore Keys => _app.Services.GetRequiredService<ApiKeyStore>();

    /// <param name="database">Stores keys and sessions.</param>
    /// <param name="settings">Settings of the section Studio.</param>
    public static async Task<StudioSite> StartAsync(TestDatabase database, params (string Name, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"Studio:{setting.Name}", (string?)setting.Value)));
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(database.DataSource);
        builder.AddAccess();
        builder.Services.AddStudio();
        var app = builder.Build();
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapStudio();
        app.MapGet("/elsa/read", (HttpContext context) => context.User.OwnerId().ToString()).RequireAuthorization(Scopes.WorkflowsRead);
        app.MapPost("/elsa/edit", () => "edited").RequireAuthorization(Scopes.WorkflowsEdit);
        app.MapGet("/v1/other", () => "other").RequireAuthorization();
        await app.StartAsync();
        return new StudioSite(app);
    }

    public async Task<string> KeyAsync(params string[] scopes) => (await Keys.CreateAsync("alice", "test", scopes, default)).Text;

    /// <summary>A browser: keeps cookies, and does not follow redirects.</summary>
    public HttpClient Browser() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer(), AutomaticDecompression = DecompressionMethods.None })
        {
            BaseAddress = Address,
        };

    /// <summary>A browser that has exchanged a key with these scopes.</summary>
    public async Task<HttpClient> SignedInAsync(params string[] scopes)
    {
        var browser = Browser();
        using var response = await SignInAsync(browser, await KeyAsync(scopes));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return browser;
    }

    public static async Task<HttpResponseMessage> SignInAsync(HttpClient browser, string key, string? origin = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/studio/session");
        request.Headers.Authorization = new("Bearer", key);
        if (origin is not null)
            request.Headers.Add("Origin", origin);
        return await browser.SendAsync(request);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
