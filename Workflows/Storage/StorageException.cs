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
