using System.Globalization;
using System.Security.Claims;
using Darkroom.Api.Access;
using Darkroom.Api.Problems;
using Darkroom.Api.Server;
using Darkroom.Configuration;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.RateLimits;

/// <summary>Limits the calls of each API key, and says in every response how many are left.</summary>
internal static class RateLimitExtensions
{
    private const string Policy = "default";

    private static readonly ApiProblem Exceeded = new(StatusCodes.Status429TooManyRequests, "rate_limit_exceeded", "This API key has called too often.")
    {
        Detail = "Wait as long as Retry-After says. Retry-After of a request's status, or a webhook, makes most polling unnecessary.",
    };

    private static readonly ApiProblem TooManyWaiting = new(StatusCodes.Status429TooManyRequests, "too_many_calls", "Too many calls are waiting already.")
    {
        Detail = "Too many clients of this owner are calling at the same time.",
    };

    /// <summary>Call it after <c>AddAccess</c>. Without a connection string for Redis, each process counts by itself.</summary>
    public static void AddRateLimits(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<RateLimitOptions>(RateLimitOptions.Section);
        services.AddSingleton<LocalBuckets>();
        services.AddSingleton<ReturnTimes>();
        services.AddSingleton<OwnerConcurrency>();
        var isShared = !string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString("redis"));
        services.AddSingleton(provider => new KeyRateLimiter(
            provider.GetRequiredService<LocalBuckets>(), isShared ? provider.GetRequiredService<SharedBuckets>() : null));
        if (!isShared)
            return;
        builder.AddOptionalRedisClient("redis");
        services.AddSingleton<SharedBuckets>();
        services.AddHostedService<SharedBucketsProbe>();
    }

    /// <summary>Call it after <c>UseAuthentication</c>, because it limits by key, and before <c>UseAuthorization</c>, so that refusals count too.</summary>
    public static WebApplication UseRateLimits(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<RateLimitOptions>>().Value;
        if (!options.Enabled)
            return app;
        var limiter = app.Services.GetRequiredService<KeyRateLimiter>();
        var returns = app.Services.GetRequiredService<ReturnTimes>();
        var concurrency = app.Services.GetRequiredService<OwnerConcurrency>();
        var policy = Describe(TokenBucket.Of(options));
        app.Use(async (context, next) =>
        {
            if (CountedKey(context) is not { } key)
            {
                await (IsQuery(context) ? RunInTurnAsync(context, next, concurrency, returns) : next(context));
                return;
            }

            var reading = await limiter.TakeAsync(key);
            // When the response starts: the handler of an exception clears the headers that were set before.
            context.Response.OnStarting(() => SetHeadersAsync(context.Response.Headers, policy, reading));
            if (!reading.Taken)
                await (Exceeded with { RetryAfter = returns.Take(key, reading.NextIn) }).ExecuteAsync(context);
            else if (StaysOpen(context))
                await next(context);
            else
                await RunInTurnAsync(context, next, concurrency, returns);
        });
        return app;
    }

    /// <summary>
    /// The turn of this call among those of its owner, or null. A call that begins to send or receive a file ends it early: that lasts as long as its
    /// client likes, and has limits of its own.
    /// </summary>
    public static OwnerTurn? Turn(this HttpContext context) => context.Features.Get<OwnerTurn>();

    /// <summary>
    /// The caller's key; null if the endpoint is open to everyone. A connection that stays open, such as the hub's, counts once. So does
    /// a call to an address where there is nothing.
    /// </summary>
    private static string? CountedKey(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is null ? context.User.FindFirstValue(ApiKeyDefaults.PrefixClaim) : null;

    /// <summary>Whether this is a connection to the hub.</summary>
    private static bool StaysOpen(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<HubMetadata>() is not null;

    /// <summary>Whether the call needs the database, and is soon done.</summary>
    private static bool IsQuery(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<RequestTimeoutAttribute>()?.PolicyName == ApiServer.QueryTimeout;

    private static async Task RunInTurnAsync(HttpContext context, RequestDelegate next, OwnerConcurrency concurrency, ReturnTimes returns)
    {
        var caller = context.User.FindFirstValue(ApiKeyDefaults.OwnerClaim) ?? context.Connection.RemoteIpAddress?.ToString() ?? "";
        using var turn = await concurrency.EnterAsync(caller, forFile: !IsQuery(context), context.RequestAborted);
        if (turn is null)
        {
            await (TooManyWaiting with { RetryAfter = returns.Take(caller, TimeSpan.FromSeconds(1)) }).ExecuteAsync(context);
            return;
        }

        context.Features.Set(turn);
        await next(context);
    }

    // draft-ietf-httpapi-ratelimit-headers-10.
    private static string Describe(TokenBucket bucket) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{Policy}\";q={bucket.Capacity};w={Seconds(TimeSpan.FromMicroseconds(bucket.FullTime))}");

    private static Task SetHeadersAsync(IHeaderDictionary headers, string policy, BucketReading reading)
    {
        headers["RateLimit-Policy"] = policy;
        headers["RateLimit"] = string.Create(CultureInfo.InvariantCulture, $"\"{Policy}\";r={reading.Remaining};t={Seconds(reading.NextIn)}");
        return Task.CompletedTask;
    }

    private static long Seconds(TimeSpan time) => Math.Max(1, (long)Math.Ceiling(time.TotalSeconds));
}
