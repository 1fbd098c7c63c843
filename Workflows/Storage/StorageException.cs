using System.Net;
using System.Net.Http;
using Amazon.Runtime;

namespace Darkroom.Storage;

/// <summary>An object store operation failed. <see cref="Code"/> may be shown to customers; the message is for the log.</summary>
public class StorageException(string code, bool isTransient, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>
    /// The recorded error code: <c>storage_denied</c>, <c>storage_unavailable</c>, <c>storage_not_found</c>, <c>storage_error</c>.
    /// </summary>
    public string Code { get; } = code;

    /// <summary>True if the same call may succeed later. Thrown only after the SDK's own retries are exhausted.</summary>
    public bool IsTransient { get; } = isTransient;
}

/// <summary>There is no object (or bucket) of that name.</summary>
public sealed class ObjectNotFoundException(string key, Exception? inner = null)
    : StorageException("storage_not_found", isTransient: false, $"There is no object {key}.", inner)
{
    public string Key { get; } = key;
}

/// <summary>The store rejected our credentials, or they do not allow the operation. A retry does not help.</summary>
public sealed class StorageDeniedException(string message, Exception? inner = null)
    : StorageException("storage_denied", isTransient: false, message, inner);

/// <summary>The store is unreachable, overloaded or stalled.</summary>
public sealed class StorageUnavailableException(string message, Exception? inner = null)
    : StorageException("storage_unavailable", isTransient: true, message, inner);

/// <summary>Maps SDK exceptions to our own. The one place that decides which errors are transient.</summary>
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

    /// <summary>Null if the exception is not a storage failure: a requested cancellation, or a bug.</summary>
    public static StorageException? Map(string subject, Exception error, CancellationToken cancellationToken) => error switch
    {
        StorageException => null,
        OperationCanceledException when cancellationToken.IsCancellationRequested => null,
        AmazonServiceException { StatusCode: HttpStatusCode.NotFound } => new ObjectNotFoundException(subject, error),
        AmazonServiceException { StatusCode: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden } e =>
            new StorageDeniedException($"The object store denied access to {subject}: {e.ErrorCode}.", error),
        AmazonServiceException e when IsTransient(e) =>
            new StorageUnavailableException($"The object store is temporarily unable to serve {subject}: {e.ErrorCode} ({(int)e.StatusCode}).", error),
        AmazonServiceException e =>
            new StorageException("storage_error", isTransient: false, $"The object store rejected {subject}: {e.ErrorCode} ({(int)e.StatusCode}).", error),
        AmazonClientException or HttpRequestException or IOException or TimeoutException or OperationCanceledException =>
            new StorageUnavailableException($"The object store could not be reached for {subject}.", error),
        _ => null,
    };

    private static bool IsTransient(AmazonServiceException error) => error switch
    {
        { StatusCode: 0 or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError } => true,
        // S3 answers a completion with 200 before it knows the outcome; then only the error code in the body tells.
        { ErrorCode: "InternalError" or "ServiceUnavailable" } => true,
        // Concurrent writers of one key, or bytes corrupted in transit: a retry sends them again.
        { StatusCode: HttpStatusCode.Conflict } => true,
        { ErrorCode: "RequestTimeout" or "SlowDown" or "BadDigest" or "XAmzContentSHA256Mismatch" or "IncompleteBody" } => true,
        _ => false,
    };
}
