using System.Net.Sockets;
using Darkroom.Data;
using Darkroom.Storage;
using Microsoft.AspNetCore.Diagnostics;
using Npgsql;

namespace Darkroom.Api.Problems;

/// <summary>Turns every unhandled exception into a problem response. Only unexpected ones are logged as errors.</summary>
internal sealed partial class ProblemExceptionHandler(ILogger<ProblemExceptionHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested && exception is OperationCanceledException or IOException)
        {
            // The client is gone; the status is only for our own logs.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        var problem = ToProblem(exception);
        if (problem.Status == StatusCodes.Status500InternalServerError)
            LogUnexpected(exception, httpContext.Request.Method, httpContext.GetEndpoint()?.DisplayName ?? "no endpoint");
        else if (problem.Status == StatusCodes.Status503ServiceUnavailable)
            LogUnavailable(exception, problem.Code);
        await problem.ExecuteAsync(httpContext);
        return true;
    }

    internal static ApiProblem ToProblem(Exception exception) => exception switch
    {
        ApiProblemException known => known.Problem,
        BadHttpRequestException bad => CommonProblems.ForStatus(bad.StatusCode, bad.Message),
        // A parameter contains text that Postgres cannot store, such as U+0000.
        PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter } =>
            CommonProblems.ForStatus(StatusCodes.Status400BadRequest, "The request contains characters that cannot be stored, such as U+0000."),
        PostgresException e => DatabaseErrors.IsTransient(e) ? CommonProblems.DatabaseUnavailable : CommonProblems.Internal,
        NpgsqlException => CommonProblems.DatabaseUnavailable,
        StorageException { IsTransient: true } or StorageDeniedException => CommonProblems.StorageUnavailable,
        TimeoutException or OperationCanceledException => CommonProblems.TimedOut,
        // The database's host name no longer resolves.
        SocketException => CommonProblems.DatabaseUnavailable,
        _ => CommonProblems.Internal,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Endpoint} failed unexpectedly")]
    private partial void LogUnexpected(Exception exception, string method, string endpoint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Returned 503 {Code}")]
    private partial void LogUnavailable(Exception exception, string code);
}
