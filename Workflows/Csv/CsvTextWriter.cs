using System.Buffers;
using System.Text;

namespace Darkroom.Csv;

/// <summary>
/// Buffers text and writes it in blocks, in the encoding of the input. Only whole records are encoded, so no surrogate pair is split.
/// </summary>
internal sealed class CsvTextWriter(Stream output, CsvEncoding encoding)
{
    // Characters. Neither buffer begins as a large object, which would be collected late: most files are short.
    private const int BlockLength = 16 * 1024;

    private readonly Encoding _encoder = encoding switch
    {
        CsvEncoding.Utf16LittleEndian => new UnicodeEncoding(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true),
        CsvEncoding.Utf16BigEndian => new UnicodeEncoding(bigEndian: true, byteOrderMark: true, throwOnInvalidBytes: true),
        _ => new UTF8Encoding(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true),
    };
    private readonly ArrayBufferWriter<char> _characters = new(2 * BlockLength);
    private readonly ArrayBufferWriter<byte> _bytes = new(4 * BlockLength);

    public void WriteByteOrderMark() => _bytes.Write(_encoder.Preamble);

    public void Write(ReadOnlySpan<char> text) => _characters.Write(text);

    public void Write(char c, int count)
    {
        if (count > 0)
        {
            _characters.GetSpan(count)[..count].Fill(c);
            _characters.Advance(count);
        }
    }

    /// <summary>Writes an added cell, quoted if the grammar or a reader that trims spaces requires it.</summary>
    public void WriteCell(string cell, char delimiter)
    {
        var plain = !cell.AsSpan().ContainsAny(['"', '\r', '\n', delimiter, '\t', '\''])
            && (cell.Length == 0 || (cell[0] != ' ' && cell[^1] != ' '));
        if (plain)
            Write(cell);
        else
            WriteQuoted(cell);
    }

    public void WriteQuoted(string cell)
    {
        Write("\"");
        Write(cell.Replace("\"", "\"\"", StringComparison.Ordinal));
        Write("\"");
    }

    public ValueTask EndRecordAsync(CancellationToken cancellationToken) =>
        _characters.WrittenCount < BlockLength ? ValueTask.CompletedTask : FlushAsync(cancellationToken);

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        _encoder.GetBytes(_characters.WrittenSpan, _bytes);
        _characters.ResetWrittenCount();
        await output.WriteAsync(_bytes.WrittenMemory, cancellationToken);
        _bytes.ResetWrittenCount();
    }
}
