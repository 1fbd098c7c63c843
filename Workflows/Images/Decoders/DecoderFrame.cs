using System.Buffers.Binary;
using System.Text.Json;

namespace Darkroom.Images.Decoders;

/// <summary>
/// One message between a worker and a decoder, over a pipe: two lengths of four bytes (little-endian), JSON, and the bytes of a file.
/// The worker does not believe a decoder's lengths: more than the limit is a breach, and memory grows only with what has arrived.
/// </summary>
internal static class DecoderFrame
{
    private const int HeaderLength = 8;
    private const int MaxHead = 65_536;

    public static void Write<T>(Stream stream, T head, ReadOnlySpan<byte> file)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(head);
        Span<byte> lengths = stackalloc byte[HeaderLength];
        BinaryPrimitives.WriteInt32LittleEndian(lengths, json.Length);
        BinaryPrimitives.WriteInt32LittleEndian(lengths[4..], file.Length);
        stream.Write([.. lengths, .. json]);
        stream.Write(file);
        stream.Flush();
    }

    /// <summary>Reads the next message, appending its file to <paramref name="file"/>.</summary>
    /// <param name="stream">The pipe.</param>
    /// <param name="file">Where the file goes.</param>
    /// <param name="maxFile">Most bytes that the file may have.</param>
    /// <param name="step">Most bytes for which memory is taken before they arrive.</param>
    /// <exception cref="EndOfStreamException">The other side closed the pipe.</exception>
    /// <exception cref="InvalidDataException">The message breaks the protocol.</exception>
    public static T Read<T>(Stream stream, PooledBuffer file, int maxFile, int step)
        where T : class
    {
        Span<byte> lengths = stackalloc byte[HeaderLength];
        stream.ReadExactly(lengths);
        var headLength = BinaryPrimitives.ReadInt32LittleEndian(lengths);
        var fileLength = BinaryPrimitives.ReadInt32LittleEndian(lengths[4..]);
        if (headLength is < 2 or > MaxHead || fileLength < 0 || fileLength > maxFile)
            throw new InvalidDataException($"The message claims {headLength} and {fileLength} bytes.");
        var json = new byte[headLength];
        stream.ReadExactly(json);
        while (fileLength > 0)
        {
            var wanted = Math.Min(fileLength, step);
            var read = stream.Read(file.GetSpan(wanted)[..wanted]);
            if (read == 0)
                throw new EndOfStreamException();
            file.Advance(read);
            fileLength -= read;
        }

        try
        {
            return JsonSerializer.Deserialize<T>(json) ?? throw new InvalidDataException("The message is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("The message is not valid JSON.", e);
        }
    }
}

/// <summary>What a decoder says first.</summary>
/// <param name="Containment">What confines it by now.</param>
internal sealed record DecoderHello(Containment Containment);

/// <summary>What a decoder answers to a plan and a file: a report with the result's bytes, or why there is none.</summary>
/// <param name="Report">What was done.</param>
/// <param name="Code">Code of an <see cref="ImageFailure"/>.</param>
/// <param name="Message">Its message.</param>
/// <param name="OutOfMemory">The decoder had too little memory, which the file need not be to blame for.</param>
internal sealed record DecoderAnswer(CodecReport? Report = null, string? Code = null, string? Message = null, bool OutOfMemory = false);
