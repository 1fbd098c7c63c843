using System.Collections.Concurrent;
using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Darkroom.Tests.Access;

/// <summary>
/// A small API with the real access rules: <c>/who</c> needs the scope requests, <c>/edit</c> needs workflows:edit, <c>/open</c> no key.
/// </summary>
internal sealed class AccessApi : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AccessApi(WebApplication app, LogLines log)
    {
        _app = app;
        Log = log;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Client { get; }
    public LogLines Log { get; }
    public ApiKeyStore Keys => _app.Services.GetRequiredService<ApiKeyStore>();

    public static async Task<AccessApi> StartAsync(TestDatabase database, string environment = "Production", string? developmentKey = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection([new("Access:DevelopmentKey", developmentKey)]);
        var log = new LogLines();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        builder.Services.AddSingleton(database.DataSource);
        builder.AddAccess();
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/who", (HttpContext context) => context.User.OwnerId().ToString()).RequireAuthorization(Scopes.Requests);
        app.MapGet("/read", () => "read").RequireAuthorization(Scopes.WorkflowsRead);
        app.MapGet("/edit", () => "edited").RequireAuthorization(Scopes.WorkflowsEdit);
        app.MapGet("/open", () => "open");
        await app.StartAsync();
        return new AccessApi(app, log);
    }

    public async Task<HttpResponseMessage> GetAsync(string path, string? authorization = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await Client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    internal sealed class LogLines : ILoggerProvider
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => new Logger(this);

        public void Dispose()
        {
        }

        private sealed class Logger(LogLines lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");
        }
    }
}
