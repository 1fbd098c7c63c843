using System.Net.Sockets;
using Darkroom.Data;
using Darkroom.Storage;
using Microsoft.AspNetCore.Diagnostics;
using Npgsql;

namespace Darkroom.Api.Problems;

/// <summary>The one place where an exception becomes an answer. What is expected to happen is not logged as an error.</summary>
internal sealed partial class ProblemExceptionHandler(ILogger<ProblemExceptionHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested && exception is OperationCanceledException or IOException)
        {
            // Nobody reads the answer any more; the status is for our own logs.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        var problem = Explain(exception);
        if (problem.Status == StatusCodes.Status500InternalServerError)
            LogUnexpected(exception, httpContext.Request.Method, httpContext.GetEndpoint()?.DisplayName ?? "no endpoint");
        else if (problem.Status == StatusCodes.Status503ServiceUnavailable)
            LogUnavailable(exception, problem.Code);
        await problem.ExecuteAsync(httpContext);
        return true;
    }

    internal static ApiProblem Explain(Exception exception) => exception switch
    {
        ApiProblemException refused => refused.Problem,
        BadHttpRequestException bad => CommonProblems.ForStatus(bad.StatusCode, bad.Message),
        // Text that no column holds, such as U+0000, was asked for: nothing can be found by it.
        PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter } =>
            CommonProblems.ForStatus(StatusCodes.Status400BadRequest, "The call holds text that cannot be kept or looked up, such as U+0000."),
        PostgresException e => DatabaseErrors.IsTransient(e) ? CommonProblems.DatabaseUnavailable : CommonProblems.Internal,
        NpgsqlException => CommonProblems.DatabaseUnavailable,
        StorageException { IsTransient: true } or StorageDeniedException => CommonProblems.StorageUnavailable,
        TimeoutException or OperationCanceledException => CommonProblems.TimedOut,
        // The pool's data source was opened against an address that no longer resolves.
        SocketException => CommonProblems.DatabaseUnavailable,
        _ => CommonProblems.Internal,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Endpoint} failed unexpectedly")]
    private partial void LogUnexpected(Exception exception, string method, string endpoint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Answered 503 {Code}")]
    private partial void LogUnavailable(Exception exception, string code);
}
