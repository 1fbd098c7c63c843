using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Mvc;

namespace Darkroom.Api.Problems;

/// <summary>A refusal or failure as the client sees it: RFC 9457 problem details with a stable <c>code</c> and the trace to ask about.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">What programs decide by. Never changes its meaning; the words around it may.</param>
/// <param name="Title">The same for every occurrence of the code.</param>
public sealed record ApiProblem(int Status, string Code, string Title) : IResult
{
    public const string ContentType = "application/problem+json";

    /// <summary>What is wrong with this request, and what to do about it.</summary>
    public string? Detail { get; init; }

    /// <summary>Further members of the document.</summary>
    public IReadOnlyDictionary<string, object?> Extensions { get; init; } = new Dictionary<string, object?>();

    /// <summary>When trying again may help.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.Headers.CacheControl = "no-store";
        if (RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        // Not by the request's own token: it is cancelled when the problem to tell of is a time-out.
        await response.WriteAsJsonAsync(ToDetails(httpContext), options: null, ContentType, CancellationToken.None);
    }

    private ProblemDetails ToDetails(HttpContext context)
    {
        var details = new ProblemDetails { Type = $"urn:darkroom:problem:{Code}", Title = Title, Status = Status, Detail = Detail };
        details.Extensions["code"] = Code;
        details.Extensions["traceId"] = Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;
        foreach (var (name, value) in Extensions) details.Extensions[name] = value;
        return details;
    }
}
