using System.Collections.Concurrent;

namespace Darkroom.Storage;

/// <summary>
/// Buffers of exactly one part. The shared pool rounds up to powers of two, which would make 8 MiB of each 5.
/// </summary>
internal static class PartBuffers
{
    /// <summary>The smallest part that S3 allows: 10,000 of them make 48 GiB, more than any CSV that we accept.</summary>
    public const int Bytes = 5 * 1024 * 1024;

    private const int Kept = 8;
    private static readonly ConcurrentQueue<byte[]> Idle = new();

    public static byte[] Rent() => Idle.TryDequeue(out var buffer) ? buffer : GC.AllocateUninitializedArray<byte>(Bytes);

    public static void Return(byte[] buffer)
    {
        // Not exact under races, and need not be.
        if (Idle.Count < Kept) Idle.Enqueue(buffer);
    }
}
