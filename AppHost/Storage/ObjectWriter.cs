using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// Writes an object to a temporary file and moves it into place when it is complete. If disposed before that, nothing is stored.
/// Writes are synchronous because they only go to the page cache: dispatching each to another thread would cost more than the write.
/// </summary>
internal sealed class ObjectWriter(string temporaryPath) : IDisposable
{
    private readonly SafeFileHandle _handle = File.OpenHandle(temporaryPath, FileMode.CreateNew, FileAccess.Write, FileShare.Delete);

    // Small pieces are gathered first, to save system calls.
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
    private int _buffered;
    private long _written;
    private bool _moved;

    public void Write(ReadOnlySpan<byte> content)
    {
        if (content.Length > _buffer.Length - _buffered)
            Flush();
        if (content.Length > _buffer.Length / 2)
        {
            Flush();
            WriteThrough(content);
            return;
        }

        content.CopyTo(_buffer.AsSpan(_buffered));
        _buffered += content.Length;
    }

    /// <summary>False if the object already exists and <paramref name="overwrite"/> is false.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist and <paramref name="createFolder"/> is false.</exception>
    public bool Commit(string path, ObjectMetadata metadata, bool overwrite = true, bool createFolder = true)
    {
        Write(ObjectFile.Footer(metadata));
        Flush();
        _handle.Dispose();
        while (true)
        {
            try
            {
                File.Move(temporaryPath, path, overwrite);
                return _moved = true;
            }
            catch (IOException e) when (createFolder && e is DirectoryNotFoundException or FileNotFoundException && File.Exists(temporaryPath))
            {
                // A concurrent delete can remove the empty folder again before the move, hence the loop. If a concurrent write
                // creates the folder while File.Move looks for what was missing, it reports the file as not found.
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            }
            catch (IOException) when (!overwrite && File.Exists(path))
            {
                return false;
            }
        }
    }

    public void Dispose()
    {
        _handle.Dispose();
        if (!_moved)
            File.Delete(temporaryPath);
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Flush()
    {
        if (_buffered > 0)
            WriteThrough(_buffer.AsSpan(0, _buffered));
        _buffered = 0;
    }

    private void WriteThrough(ReadOnlySpan<byte> content)
    {
        RandomAccess.Write(_handle, content, _written);
        _written += content.Length;
    }
}
