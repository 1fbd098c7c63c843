using Darkroom.Configuration;
using Darkroom.Data;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Api.Server;

/// <summary>The HTTP server: its limits, its time-outs, and the headers that every answer carries.</summary>
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

    /// <summary>Headers that tell browsers to take every answer for what it says it is, and for nothing more.</summary>
    public static WebApplication UseSecurityHeaders(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            // Set before the endpoint runs: a page that needs a policy of its own replaces this one.
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
            return next(context);
        });
        return app;
    }

    /// <summary>
    /// Makes a database that is away a quick error. A caller has a couple of seconds to give, and a query that is no longer waited
    /// for is ended by closing its connection: asking a server that hangs to cancel it would hang as well.
    /// </summary>
    public static void ConfigureFastFail(NpgsqlDataSourceBuilder database)
    {
        DatabaseSessions.LimitIdleTransactions(database);
        database.ConnectionStringBuilder.Timeout = Math.Min(database.ConnectionStringBuilder.Timeout, 2);
        database.ConnectionStringBuilder.CancellationTimeout = -1;
    }

    /// <summary>Takes what trusted proxies say of the client, from the last hop back to the first one that is not trusted.</summary>
    private static void ConfigureForwardedHeaders(ForwardedHeadersOptions forwarded, ServerOptions server)
    {
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in server.TrustedNetworks) forwarded.KnownIPNetworks.Add(network);
        // To the framework an empty list means everybody.
        var any = forwarded.KnownIPNetworks.Count > 0;
        forwarded.ForwardedHeaders = any ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto : ForwardedHeaders.None;
        // Each hop must be trusted, so their number need not be known.
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
