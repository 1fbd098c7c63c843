using Darkroom.Configuration;
using Darkroom.Data;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Api.Server;

/// <summary>The HTTP server's limits and timeouts, and the headers of every response.</summary>
internal static class ApiServer
{
    /// <summary>Timeout policy of endpoints that need only the database; <c>AddRequests</c> defines it.</summary>
    public const string QueryTimeout = "query";

    public static IServiceCollection AddApiServer(this IServiceCollection services)
    {
        services.AddSettings<ServerOptions>(ServerOptions.Section);
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<ServerOptions>>((kestrel, server) => Limit(kestrel, server.Value));
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<ServerOptions>>((forwarded, server) => ConfigureForwardedHeaders(forwarded, server.Value));
        services.AddRequestTimeouts();
        return services;
    }

    /// <summary>Adds headers that keep browsers from sniffing, framing or executing responses.</summary>
    public static WebApplication UseSecurityHeaders(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            // Set before the endpoint runs, so that a page can replace the policy with its own.
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
            return next(context);
        });
        return app;
    }

    /// <summary>
    /// Makes calls fail fast if the database is unavailable: connecting takes at most two seconds, and a cancelled query is ended by
    /// closing its connection, because a cancellation request to a hanging server would hang as well.
    /// </summary>
    public static void ConfigureFastFail(NpgsqlDataSourceBuilder database)
    {
        DatabaseSessions.Configure(database);
        database.ConnectionStringBuilder.Timeout = Math.Min(database.ConnectionStringBuilder.Timeout, 2);
        database.ConnectionStringBuilder.CancellationTimeout = -1;
    }

    /// <summary>Accepts forwarded headers from trusted proxies, from the last hop back to the first untrusted one.</summary>
    private static void ConfigureForwardedHeaders(ForwardedHeadersOptions forwarded, ServerOptions server)
    {
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in server.TrustedNetworks)
            forwarded.KnownIPNetworks.Add(network);
        // To the framework, an empty list means that every proxy is trusted.
        var any = forwarded.KnownIPNetworks.Count > 0;
        forwarded.ForwardedHeaders = any ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto : ForwardedHeaders.None;
        // Every hop must be trusted, so their number does not need a limit.
        forwarded.ForwardLimit = null;
    }

    private static void Limit(KestrelServerOptions kestrel, ServerOptions server)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = server.MaxBodyBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = server.MaxHeaderBytes;
        kestrel.Limits.RequestHeadersTimeout = server.HeaderTimeout;
        kestrel.Limits.KeepAliveTimeout = server.KeepAlive;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(server.MinBytesPerSecond, TimeSpan.FromSeconds(10));
        kestrel.Limits.MaxConcurrentConnections = server.MaxConnections;
    }
}
