using NetVips;

namespace Darkroom.Images.Vips;

/// <summary>Connects libvips to managed memory. Exceptions must not cross into native code: they become its error codes.</summary>
internal static class VipsStreams
{
    public static Source Read(ReadOnlyMemory<byte> memory)
    {
        var at = 0L;
        var source = new SourceCustom();
        source.OnRead += (buffer, length) =>
        {
            var count = (int)Math.Min(length, memory.Length - at);
            memory.Span.Slice((int)at, count).CopyTo(buffer);
            at += count;
            return count;
        };
        source.OnSeek += (offset, origin) =>
        {
            var to = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => at + offset, _ => memory.Length + offset };
            return to >= 0 && to <= memory.Length ? at = to : -1;
        };
        return source;
    }

    public static Target Write(PooledBuffer output)
    {
        var at = 0L;
        var target = new TargetCustom();
        target.OnWrite += (buffer, length) =>
        {
            try
            {
                output.WriteAt(checked((int)at), buffer.AsSpan(0, length));
                at += length;
                return length;
            }
            catch (Exception e) when (e is OverflowException or OutOfMemoryException)
            {
                return -1;
            }
        };
        target.OnRead += (buffer, length) =>
        {
            var count = (int)Math.Clamp(output.Length - at, 0, length);
            output.Span.Slice((int)Math.Min(at, output.Length), count).CopyTo(buffer);
            at += count;
            return count;
        };
        target.OnSeek += (offset, origin) =>
        {
            var to = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => at + offset, _ => output.Length + offset };
            return to is >= 0 and <= int.MaxValue ? at = to : -1;
        };
        return target;
    }
}
