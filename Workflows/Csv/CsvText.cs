using System.Buffers;

namespace Darkroom.Csv;

/// <summary>
/// The text of an uploaded file, as the parser pulls it: decoded strictly, without byte order mark, limited in size, and at most
/// <see cref="Chunk"/> characters at a time, so that <see cref="BeforeRefill"/> can stop the parser before one record fills memory.
/// Text that cannot be read is reported as a <see cref="CsvRefusedException"/> once everything before it has been returned.
/// </summary>
internal sealed class CsvText(Stream stream, long maxBytes, CancellationToken cancellationToken) : TextReader
{
    public const int Chunk = 16 * 1024;

    // An array of 85,000 bytes or more would be a large object, collected late: a worker reads several files a request, most of them short.
    private readonly byte[] _bytes = new byte[32 * 1024];
    private readonly char[] _characters = new char[32 * 1024];
    private int _byteStart, _byteEnd;
    private ReadOnlyMemory<char> _ready;
    private ReadOnlyMemory<char> _head;
    private long _bytesRead;
    private bool _streamEnded;

    public CsvEncoding Encoding { get; private set; }
    public bool HasBom { get; private set; }

    /// <summary>Why reading stops. Known as soon as the bytes are decoded; thrown when the parser gets there.</summary>
    public CsvRefusedException? Refusal { get; private set; }

    /// <summary>Whether the parser has been told that there is no more text.</summary>
    public bool EndReached { get; private set; }

    public Action? BeforeRefill { get; set; }

    /// <summary>Detects the encoding and returns the first characters without consuming them.</summary>
    /// <returns>Fewer than <paramref name="length"/> characters only if there are no more, or no more that can be read.</returns>
    /// <exception cref="CsvRefusedException">The file is empty or of another kind.</exception>
    public async Task<string> PeekAsync(int length)
    {
        while (_byteEnd < FileSignature.MaxLength && await ReadBytesAsync())
        {
        }
        DetectEncoding();

        var seen = new ArrayBufferWriter<char>();
        while (seen.WrittenCount < length && await DecodeAsync())
        {
            seen.Write(_ready.Span);
            _ready = default;
        }
        _head = seen.WrittenMemory;
        return new string(_head.Span[..Math.Min(length, _head.Length)]);
    }

    public override async Task<int> ReadAsync(char[] buffer, int index, int count)
    {
        BeforeRefill?.Invoke();
        if (_head.IsEmpty && _ready.IsEmpty && !await DecodeAsync())
        {
            EndReached = true;
            return Refusal is null ? 0 : throw Refusal;
        }
        return _head.IsEmpty ? Take(ref _ready, buffer.AsSpan(index, count)) : Take(ref _head, buffer.AsSpan(index, count));
    }

    private static int Take(ref ReadOnlyMemory<char> source, Span<char> target)
    {
        var count = Math.Min(Math.Min(source.Length, target.Length), Chunk);
        source.Span[..count].CopyTo(target);
        source = source[count..];
        return count;
    }

    private void DetectEncoding()
    {
        var start = _bytes.AsSpan(0, _byteEnd);
        if (start.IsEmpty)
            throw Refusal ?? new CsvRefusedException(CsvErrorCodes.EmptyFile, "The file is empty. It needs a header and at least one row.");
        if (start is [0xFF, 0xFE, 0, 0, ..] or [0, 0, 0xFE, 0xFF, ..])
            throw new CsvRefusedException(CsvErrorCodes.UnsupportedEncoding, "The file is UTF-32. Save it as UTF-8, or as UTF-16 with a byte order mark.");
        if (FileSignature.Recognise(start) is { } kind)
            throw new CsvRefusedException(CsvErrorCodes.NotCsv, $"The file is not a CSV but {kind}. Export or save it as CSV and send that.");

        (Encoding, _byteStart) = start switch
        {
            [0xEF, 0xBB, 0xBF, ..] => (CsvEncoding.Utf8, 3),
            [0xFF, 0xFE, ..] => (CsvEncoding.Utf16LittleEndian, 2),
            [0xFE, 0xFF, ..] => (CsvEncoding.Utf16BigEndian, 2),
            _ => (CsvEncoding.Utf8, 0),
        };
        HasBom = _byteStart > 0;
    }

    private async ValueTask<bool> DecodeAsync()
    {
        while (Refusal is null)
        {
            var status = CsvDecoder.Decode(Encoding, _bytes.AsSpan(_byteStart, _byteEnd - _byteStart), _characters, _streamEnded, out var read, out var written);
            _byteStart += read;
            if (status == OperationStatus.InvalidData)
                Refusal = InvalidEncoding();
            var text = _characters.AsSpan(0, written);
            if (text.IndexOf('\0') is >= 0 and var nul)
            {
                Refusal = new CsvRefusedException(CsvErrorCodes.NulCharacter,
                    "There is a NUL character here: the file is damaged, binary, or UTF-16 without a byte order mark. Save it as UTF-8.", "\\u0000");
                written = nul;
            }
            if (written > 0)
            {
                _ready = _characters.AsMemory(0, written);
                return true;
            }
            if (Refusal is null && !await ReadBytesAsync() && _byteStart == _byteEnd)
                return false;
        }
        return false;
    }

    private async ValueTask<bool> ReadBytesAsync()
    {
        if (_streamEnded || Refusal is not null)
            return false;
        _bytes.AsSpan(_byteStart, _byteEnd - _byteStart).CopyTo(_bytes);
        (_byteStart, _byteEnd) = (0, _byteEnd - _byteStart);

        var count = await stream.ReadAsync(_bytes.AsMemory(_byteEnd), cancellationToken);
        _byteEnd += count;
        _bytesRead += count;
        _streamEnded = count == 0;
        if (_bytesRead > maxBytes)
            Refusal = new CsvRefusedException(CsvErrorCodes.FileTooLarge, $"The file is larger than {maxBytes} bytes. Split it.");
        return count > 0;
    }

    private CsvRefusedException InvalidEncoding() => new(
        CsvErrorCodes.InvalidEncoding,
        Encoding == CsvEncoding.Utf8
            ? "A byte here is not valid UTF-8. Save the file as UTF-8 (spreadsheets call it \"CSV UTF-8\"), or as UTF-16 with a byte order mark."
            : "The file starts as UTF-16, but what is here is not valid UTF-16. Save it as UTF-8.",
        _byteStart < _byteEnd ? $"0x{_bytes[_byteStart]:X2}" : null);
}

/// <summary>Recognises files that are not CSV by their first bytes, so that the error can name what was sent.</summary>
internal static class FileSignature
{
    public const int MaxLength = 8;

    public static string? Recognise(ReadOnlySpan<byte> head) => head switch
    {
        [(byte)'P', (byte)'K', 3, 4, ..] or [(byte)'P', (byte)'K', 5, 6, ..] => "a zip archive or a workbook (.xlsx, .ods)",
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => "an old workbook (.xls)",
        [0x1F, 0x8B, ..] => "gzip data",
        [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', ..] => "bzip2 data",
        [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => "xz data",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd data",
        [(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => "a 7z archive",
        [(byte)'R', (byte)'a', (byte)'r', (byte)'!', 0x1A, 7, ..] => "a rar archive",
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => "a PNG image",
        [0xFF, 0xD8, 0xFF, ..] => "a JPEG image",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => "a GIF image",
        [(byte)'%', (byte)'P', (byte)'D', (byte)'F', (byte)'-', ..] => "a PDF",
        _ => null,
    };
}

/// <summary>
/// Aborts parsing from inside the parser's own read. Thrown by <see cref="CsvText"/>, caught by <see cref="CsvRecordReader"/> and
/// <see cref="CsvFile"/>, which know the line. Never leaves this namespace.
/// </summary>
internal sealed class CsvRefusedException(string code, string message, string? value = null) : Exception(message)
{
    public string Code => code;
    public string? Value => value;
}
