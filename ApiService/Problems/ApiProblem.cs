using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Mvc;

namespace Darkroom.Api.Problems;

/// <summary>An error as the client sees it: RFC 9457 problem details with a stable <c>code</c> and the trace id to quote in a report.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">For programs. Its meaning never changes; the title and detail may.</param>
/// <param name="Title">Always the same for a given code.</param>
public sealed record ApiProblem(int Status, string Code, string Title) : IResult
{
    public const string ContentType = "application/problem+json";

    /// <summary>What is wrong with this request and how to fix it.</summary>
    public string? Detail { get; init; }

    /// <summary>Additional members of the document.</summary>
    public IReadOnlyDictionary<string, object?> Extensions { get; init; } = new Dictionary<string, object?>();

    /// <summary>How long to wait before trying again.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.Headers.CacheControl = "no-store";
        if (RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        // Not the request's own token: after a timeout it is already cancelled.
        await response.WriteAsJsonAsync(ToDetails(httpContext), options: null, ContentType, CancellationToken.None);
    }

    private ProblemDetails ToDetails(HttpContext context)
    {
        var details = new ProblemDetails { Type = $"urn:darkroom:problem:{Code}", Title = Title, Status = Status, Detail = Detail };
        details.Extensions["code"] = Code;
        details.Extensions["traceId"] = Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;
        foreach (var (name, value) in Extensions)
            details.Extensions[name] = value;
        return details;
    }
}

/// <summary>Thrown below an endpoint to end the call with a problem.</summary>
public sealed class ApiProblemException(ApiProblem problem, Exception? cause = null) : Exception(problem.Detail ?? problem.Title, cause)
{
    public ApiProblem Problem { get; } = problem;
}
