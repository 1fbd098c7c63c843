using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Amazon.S3.Model;

namespace Darkroom.Storage;

/// <summary>
/// An upload in progress; the object appears when it completes. Memory use is constant: one buffer fills while the previous one is
/// being sent. Content that fits into one buffer is sent as a single PUT, so a small CSV costs one request. Disposing an upload that
/// was not completed leaves nothing behind. Not thread-safe.
/// </summary>
public sealed class ObjectUpload : IAsyncDisposable
{
    private const int FirstBuffer = 64 * 1024;
    private static readonly TimeSpan AbortTimeout = TimeSpan.FromSeconds(10);

    private readonly ObjectStore _store;
    private readonly string _contentType;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly CancellationTokenSource _abandoned = new();
    private readonly List<PartETag> _parts = [];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
    private int _filled;
    private string? _uploadId;
    private Task _sending = Task.CompletedTask;
    private bool _completed;

    internal ObjectUpload(ObjectStore store, string key, string contentType)
    {
        _store = store;
        _contentType = contentType;
        Key = key;
    }

    public string Key { get; }

    public long BytesWritten { get; private set; }

    /// <summary>Whether anything has been sent to the store; until then there is nothing to clean up.</summary>
    public bool HasSent { get; private set; }

    /// <summary>SHA-256 of what has been written so far.</summary>
    public byte[] Sha256 => _hash.GetCurrentHash();

    /// <summary>The upload as a write-only stream.</summary>
    public Stream AsStream() => new ObjectUploadStream(this);

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        _hash.AppendData(content.Span);
        BytesWritten += content.Length;
        while (!content.IsEmpty)
        {
            if (_filled == _buffer.Length)
                await MakeRoomAsync(cancellationToken);
            var taken = Math.Min(content.Length, _buffer.Length - _filled);
            content.Span[..taken].CopyTo(_buffer.AsSpan(_filled));
            _filled += taken;
            content = content[taken..];
        }
    }

    /// <summary>Finishes the upload and makes the object appear.</summary>
    public async Task<StoredObject> CompleteAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        var sha256 = Sha256;
        HasSent = true;
        if (_uploadId is null)
        {
            await _store.PutAsync(Key, _buffer.AsMemory(0, _filled), _contentType, cancellationToken, sha256);
        }
        else
        {
            if (_filled > 0)
                await SendPartAsync(cancellationToken);
            await _sending.WaitAsync(cancellationToken);
            await _store.CompleteAsync(Key, _uploadId, _parts, cancellationToken);
        }

        _completed = true;
        return new StoredObject(Key, BytesWritten, sha256);
    }

    public async ValueTask DisposeAsync()
    {
        await _abandoned.CancelAsync();
        // A part still in flight could arrive after the abort and would stay, invisible and billed.
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_uploadId is not null && !_completed)
            await AbortAsync(_uploadId);
        Return(_buffer);
        _buffer = [];
        _filled = 0;
        _hash.Dispose();
        _abandoned.Dispose();
    }

    private async Task MakeRoomAsync(CancellationToken cancellationToken)
    {
        if (_buffer.Length == PartBuffers.Bytes)
        {
            await SendPartAsync(cancellationToken);
            return;
        }

        var larger = PartBuffers.Rent();
        _buffer.AsSpan(0, _filled).CopyTo(larger);
        Return(_buffer);
        _buffer = larger;
    }

    private async Task SendPartAsync(CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        HasSent = true;
        _uploadId ??= await _store.InitiateAsync(Key, _contentType, cancellationToken);
        var (full, count) = (_buffer, _filled);
        (_buffer, _filled) = (PartBuffers.Rent(), 0);
        _sending = SendAsync(_uploadId, _parts.Count + 1, full, count);
    }

    private async Task SendAsync(string uploadId, int number, byte[] buffer, int count)
    {
        try
        {
            _parts.Add(await _store.PutPartAsync(Key, uploadId, number, buffer.AsMemory(0, count), _abandoned.Token));
        }
        finally
        {
            Return(buffer);
        }
    }

    private async Task AbortAsync(string uploadId)
    {
        // The caller's token has usually been cancelled by now.
        using var timeout = new CancellationTokenSource(AbortTimeout);
        try
        {
            await _store.AbortAsync(Key, uploadId, timeout.Token);
        }
        catch (Exception e) when (e is StorageException or OperationCanceledException)
        {
            // Do not hide the original error. Leftovers are deleted with their prefix, or by the bucket's lifecycle rule.
        }
    }

    private static void Return(byte[] buffer)
    {
        if (buffer.Length == PartBuffers.Bytes)
            PartBuffers.Return(buffer);
        else if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }
}

/// <summary>
/// A pool of buffers of exactly one part. The shared array pool rounds up to powers of two, so each 5 MiB would take 8.
/// </summary>
internal static class PartBuffers
{
    /// <summary>The smallest part that S3 allows. 10,000 parts make 48 GiB, more than any CSV that we accept.</summary>
    public const int Bytes = 5 * 1024 * 1024;

    private const int MaxIdle = 8;
    private static readonly ConcurrentQueue<byte[]> Idle = new();

    public static byte[] Rent() => Idle.TryDequeue(out var buffer) ? buffer : GC.AllocateUninitializedArray<byte>(Bytes);

    public static void Return(byte[] buffer)
    {
        // The limit need not be exact under concurrency.
        if (Idle.Count < MaxIdle)
            Idle.Enqueue(buffer);
    }
}
