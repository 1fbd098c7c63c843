using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// Writes an object beside the others and moves it in when it is whole; disposed before that, it was never there. Writes go to the
/// page cache and are plain calls: handing each to another thread would cost more than it takes.
/// </summary>
internal sealed class ObjectWriter(string temporaryPath) : IDisposable
{
    private readonly SafeFileHandle _handle = File.OpenHandle(temporaryPath, FileMode.CreateNew, FileAccess.Write, FileShare.Delete);

    // Bodies arrive in pieces of a page: gathered, they are a sixteenth of the system calls.
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
    private int _buffered;
    private long _written;
    private bool _moved;

    public void Write(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            if (_buffered == _buffer.Length) Flush();
            var taken = Math.Min(content.Length, _buffer.Length - _buffered);
            content[..taken].CopyTo(_buffer.AsSpan(_buffered));
            _buffered += taken;
            content = content[taken..];
        }
    }

    /// <summary>False if there is such an object already and <paramref name="overwrite"/> is not wanted.</summary>
    /// <exception cref="DirectoryNotFoundException">Its folder is not there and <paramref name="makeFolder"/> is false.</exception>
    public bool Commit(string path, ObjectMetadata metadata, bool overwrite = true, bool makeFolder = true)
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
            catch (DirectoryNotFoundException) when (makeFolder)
            {
                // Also when a delete removed the folder, just empty, between our two steps: hence the loop.
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
        if (!_moved) File.Delete(temporaryPath);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Flush()
    {
        RandomAccess.Write(_handle, _buffer.AsSpan(0, _buffered), _written);
        _written += _buffered;
        _buffered = 0;
    }
}
