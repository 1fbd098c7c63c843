using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Darkroom.AppHost.Storage;

/// <summary>Reads a body as lines and blocks of a given length, without buffering more than what the pipe holds.</summary>
internal sealed class BodyLines(PipeReader reader)
{
    private const int MaxLineLength = 4096;

    /// <summary>The next line without its line break; null if the body ends before a line break.</summary>
    public async ValueTask<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.Latin1.GetString(read.Buffer.Slice(0, end));
                reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line.TrimEnd('\r');
            }

            var tooLong = read.Buffer.Length > MaxLineLength;
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (tooLong)
                throw S3Error.InvalidRequest("A line of the chunked body is too long.");
            if (read.IsCompleted)
                return null;
        }
    }

    public async ValueTask CopyAsync(long count, BodySink sink, CancellationToken cancellationToken)
    {
        while (count > 0)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var taken = read.Buffer.Slice(0, Math.Min(count, read.Buffer.Length));
            foreach (var segment in taken)
                sink(segment.Span);
            count -= taken.Length;
            reader.AdvanceTo(taken.End);
            if (count > 0 && read.IsCompleted)
                throw S3Error.IncompleteBody();
        }
    }

    public async ValueTask CopyRestAsync(BodySink sink, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            foreach (var segment in read.Buffer)
                sink(segment.Span);
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }
}
