using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// Memory for the server's connections in blocks of 64 KB. The server's own are of 4 KB, and it receives at most a block at a time: a photo
/// would take a hundred system calls, each handed from one thread to another.
/// </summary>
internal sealed class LargeBlocks : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int BlockBytes = 64 * 1024;

    public override int MaxBufferSize => BlockBytes;

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => Shared.Rent(Math.Max(minBufferSize, BlockBytes));

    /// <summary>Nothing: the blocks belong to the shared pool, and the server disposes of what it was given when it stops.</summary>
    protected override void Dispose(bool disposing)
    {
    }
}
