using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Darkroom.Csv;

/// <summary>
/// Reads records one at a time, with their line and raw text. CsvHelper does the parsing; this class catches what CsvHelper would
/// accept or buffer without bound: misplaced or unclosed quotes, and cells, records and column counts beyond the limits.
/// </summary>
internal sealed class CsvRecordReader : IDisposable
{
    private readonly CsvParser _parser;
    private readonly CsvText? _text;
    private readonly CsvLimits _limits;
    private long _recordStart;
    private int _checkedCell;

    public CsvRecordReader(TextReader source, char delimiter, CsvLimits limits)
    {
        _limits = limits;
        _text = source as CsvText;
        if (_text is not null)
            _text.BeforeRefill = ThrowIfOversized;
        Delimiter = delimiter;
        _parser = new CsvParser(source, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter.ToString(),
            IgnoreBlankLines = false,
            BufferSize = 2 * CsvText.Chunk,
            MaxFieldSize = _limits.MaxCellLength,
            ExceptionMessagesContainRawData = false,
            BadDataFound = OnBadCell,
        });
    }

    public char Delimiter { get; }

    /// <summary>1-based line on which the current record starts.</summary>
    public long Line { get; private set; } = 1;

    public int Count => _parser.Count;
    public string this[int cell] => _parser[cell];

    /// <summary>The current record verbatim, including its line ending. Allocates a new string at each call.</summary>
    public string Raw => _parser.RawRecord;

    /// <summary>Why reading stopped early; nothing after it can be parsed reliably.</summary>
    public CsvError? Fatal { get; private set; }

    /// <summary>What is wrong with the current record's quotes; reading can go on with the next record.</summary>
    public CsvError? Defect { get; private set; }

    /// <summary>
    /// Whether all cells of the current record are empty: an empty line, or one of white space and delimiters as spreadsheets leave
    /// behind.
    /// </summary>
    public bool IsBlank
    {
        get
        {
            for (var cell = 0; cell < Count; cell++)
            {
                if (!string.IsNullOrWhiteSpace(this[cell]))
                    return false;
            }
            return true;
        }
    }

    public long CharactersRead => _parser.CharCount;

    /// <returns>False at the end, or if reading stopped because of <see cref="Fatal"/>.</returns>
    public async ValueTask<bool> ReadAsync()
    {
        if (Fatal is not null)
            return false;
        Line = _parser.RawRow + 1L;
        _recordStart = _parser.CharCount;
        Defect = null;
        try
        {
            if (!await _parser.ReadAsync())
                return false;
            ThrowIfOversized();
        }
        catch (CsvRefusedException refusal)
        {
            Fatal ??= new CsvError(_parser.RawRow, _parser.Count + 1, refusal.Code, refusal.Message, refusal.Value);
            return false;
        }
        catch (MaxFieldSizeException)
        {
            Fatal = SpansLines ? UnclosedQuote(_parser.Count + 1) : CsvError.At(Line, _parser.Count + 1, CsvErrorCodes.CellTooLong,
                $"This cell is longer than {_limits.MaxCellLength} characters. Shorten it.");
            return false;
        }
        CheckQuotes();
        return true;
    }

    public void Dispose() => _parser.Dispose();

    private bool SpansLines => _parser.RawRow > Line;

    /// <summary>
    /// Called when the parser asks for more text. It does so only when its whole buffer belongs to one unfinished record, so that
    /// record's size can be checked while it grows.
    /// </summary>
    private void ThrowIfOversized()
    {
        if (_parser.Count > _limits.MaxColumns)
            Fatal = CsvError.At(Line, null, CsvErrorCodes.TooManyColumns, $"This row has more than {_limits.MaxColumns} cells. Remove the extra columns.");
        else if (_parser.CharCount - _recordStart > _limits.MaxRecordLength)
            Fatal = SpansLines ? UnclosedQuote(_parser.Count + 1) : CsvError.At(Line, null, CsvErrorCodes.RecordTooLong,
                $"This row is longer than {_limits.MaxRecordLength} characters. Shorten it.");
        if (Fatal is not null)
            throw new CsvRefusedException(Fatal.Code, Fatal.Message);
    }

    /// <summary>
    /// CsvHelper reports a bad cell only when the cell is accessed, each time with a copy of the whole record. So access them all, but
    /// none after the first bad one.
    /// </summary>
    private void CheckQuotes()
    {
        for (_checkedCell = 0; _checkedCell < _parser.Count && Defect is null; _checkedCell++)
            _ = _parser[_checkedCell];

        // A cell that the end of the file cuts off after a doubled quote looks closed to the parser. In a well-formed record quotes come
        // in pairs.
        if (Defect is null && _text is not { EndReached: false } && _parser.RawRecord.AsSpan().Count('"') % 2 != 0)
            Defect = UnclosedQuote(_parser.Count);
    }

    private void OnBadCell(BadDataFoundArgs bad) => Defect ??=
        !bad.Field.StartsWith('"') ? StrayQuote("There is a quote inside an unquoted cell", bad.Field)
        : IsUnclosed(bad.Field) ? UnclosedQuote(_checkedCell + 1)
        : StrayQuote("There is text after a closing quote", bad.Field);

    private static bool IsUnclosed(ReadOnlySpan<char> cell)
    {
        for (var rest = cell[1..]; rest.IndexOf('"') is >= 0 and var quote; rest = rest[(quote + 2)..])
        {
            if (quote + 1 == rest.Length || rest[quote + 1] != '"')
                return false;
        }
        return true;
    }

    private CsvError StrayQuote(string what, string cell) => CsvError.At(Line, _checkedCell + 1, CsvErrorCodes.StrayQuote,
        what + ". Quote the whole cell and double each quote inside it.", cell);

    private CsvError UnclosedQuote(int column) => CsvError.At(Line, column, CsvErrorCodes.UnclosedQuote,
        "A quoted cell that starts in this row is not closed. Add the closing quote, and double each quote inside the cell.");
}

/// <summary>Finds positions in the raw text of a well-formed record.</summary>
internal static class RawRecord
{
    /// <summary>CR LF, LF or CR; empty on a last line without a line ending.</summary>
    public static ReadOnlySpan<char> LineEnd(ReadOnlySpan<char> raw) => raw switch
    {
        [.., '\r', '\n'] => raw[^2..],
        [.., '\r' or '\n'] => raw[^1..],
        _ => default,
    };

    /// <summary>The start of a cell in the raw text without line ending. For the cell after the last it is one past the end.</summary>
    public static int CellStart(ReadOnlySpan<char> body, char delimiter, int cell)
    {
        var (position, inQuotes) = (0, false);
        while (cell > 0 && position < body.Length)
        {
            var c = body[position++];
            if (c == '"')
                inQuotes = !inQuotes;
            else if (c == delimiter && !inQuotes)
                cell--;
        }
        return cell == 0 ? position : body.Length + 1;
    }
}
