using System.Net;
using System.Net.Http;
using Amazon.Runtime;

namespace Darkroom.Storage;

/// <summary>The object store did not do what was asked. <see cref="Code"/> is ours and fit for customers; the message is for the log.</summary>
public class StorageException(string code, bool isTransient, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What went wrong, as it is recorded: <c>storage_denied</c>, <c>storage_unavailable</c>, <c>storage_not_found</c>, <c>storage_error</c>.</summary>
    public string Code { get; } = code;

    /// <summary>True if the same call may succeed later. The SDK's own retries are already spent when this is thrown.</summary>
    public bool IsTransient { get; } = isTransient;
}

/// <summary>There is no object (or no bucket) of that name.</summary>
public sealed class ObjectNotFoundException(string key, Exception? inner = null)
    : StorageException("storage_not_found", isTransient: false, $"There is no object {key}.", inner)
{
    public string Key { get; } = key;
}

/// <summary>The store refuses our credentials or what they ask for. Trying again changes nothing.</summary>
public sealed class StorageDeniedException(string message, Exception? inner = null)
    : StorageException("storage_denied", isTransient: false, message, inner);

/// <summary>The store cannot be reached, is overloaded, or stalled.</summary>
public sealed class StorageUnavailableException(string message, Exception? inner = null)
    : StorageException("storage_unavailable", isTransient: true, message, inner);

/// <summary>Turns what the SDK throws into our own exceptions: one place decides what may pass and what will not.</summary>
internal static class StorageErrors
{
    public static async Task<T> MappedAsync<T>(string subject, Task<T> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call;
        }
        catch (Exception e) when (Map(subject, e, cancellationToken) is { } mapped)
        {
            throw mapped;
        }
    }

    /// <summary>Null if it is none of ours: a cancellation that was asked for, a mistake in the program.</summary>
    public static StorageException? Map(string subject, Exception error, CancellationToken cancellationToken) => error switch
    {
        StorageException => null,
        OperationCanceledException when cancellationToken.IsCancellationRequested => null,
        AmazonServiceException { StatusCode: HttpStatusCode.NotFound } => new ObjectNotFoundException(subject, error),
        AmazonServiceException { StatusCode: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden } e =>
            new StorageDeniedException($"The object store refused access to {subject}: {e.ErrorCode}.", error),
        AmazonServiceException e when MayPass(e) =>
            new StorageUnavailableException($"The object store could not serve {subject} now: {e.ErrorCode} ({(int)e.StatusCode}).", error),
        AmazonServiceException e =>
            new StorageException("storage_error", isTransient: false, $"The object store rejected {subject}: {e.ErrorCode} ({(int)e.StatusCode}).", error),
        AmazonClientException or HttpRequestException or IOException or TimeoutException or OperationCanceledException =>
            new StorageUnavailableException($"The object store could not be reached for {subject}.", error),
        _ => null,
    };

    private static bool MayPass(AmazonServiceException error) => error switch
    {
        { StatusCode: 0 or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError } => true,
        // S3 answers a completion with 200 before it knows the outcome: then only the code in the body tells.
        { ErrorCode: "InternalError" or "ServiceUnavailable" } => true,
        // Two writers of one key, or bytes damaged on the way: the next try sends them anew.
        { StatusCode: HttpStatusCode.Conflict } => true,
        { ErrorCode: "RequestTimeout" or "SlowDown" or "BadDigest" or "XAmzContentSHA256Mismatch" or "IncompleteBody" } => true,
        _ => false,
    };
}
