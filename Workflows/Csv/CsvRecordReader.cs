using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Darkroom.Csv;

/// <summary>
/// One record after the other, with its line and its raw text. CsvHelper parses; what it would let pass or hold in memory without bound
/// is caught here: quotes that are out of place or never closed, cells, records and rows of columns that grow beyond the limits.
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
            _text.BeforeRefill = StopOversized;
        Delimiter = delimiter;
        _parser = new CsvParser(source, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter.ToString(),
            IgnoreBlankLines = false,
            BufferSize = 2 * CsvText.Chunk,
            MaxFieldSize = _limits.MaxCellLength,
            ExceptionMessagesContainRawData = false,
            BadDataFound = NoteBadCell,
        });
    }

    public char Delimiter { get; }

    /// <summary>1-based line on which the present record starts.</summary>
    public long Line { get; private set; } = 1;

    public int Count => _parser.Count;
    public string this[int cell] => _parser[cell];

    /// <summary>The present record to the letter, line end included. Made anew at each call.</summary>
    public string Raw => _parser.RawRecord;

    /// <summary>Why reading stopped before the end; nothing behind it can be told apart.</summary>
    public CsvError? Fatal { get; private set; }

    /// <summary>What is wrong with the present record's quotes; the next record is found all the same.</summary>
    public CsvError? Defect { get; private set; }

    /// <summary>No cell of the present record has anything in it: an empty line, or one of blanks and delimiters as spreadsheets leave them behind.</summary>
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

    /// <returns>False at the end, and where reading stopped for <see cref="Fatal"/>.</returns>
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
            StopOversized();
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

    /// <summary>The parser asks for more only when it has used up what it has, all of it for one record: its size is known here while it still grows.</summary>
    private void StopOversized()
    {
        if (_parser.Count > _limits.MaxColumns)
            Fatal = CsvError.At(Line, null, CsvErrorCodes.TooManyColumns, $"This row has more than {_limits.MaxColumns} cells. Remove the surplus columns.");
        else if (_parser.CharCount - _recordStart > _limits.MaxRecordLength)
            Fatal = SpansLines ? UnclosedQuote(_parser.Count + 1) : CsvError.At(Line, null, CsvErrorCodes.RecordTooLong,
                $"This row is longer than {_limits.MaxRecordLength} characters. Shorten it.");
        if (Fatal is not null)
            throw new CsvRefusedException(Fatal.Code, Fatal.Message);
    }

    /// <summary>
    /// CsvHelper tells of a bad cell only when the cell is asked for, each time with a copy of the whole record: so all are asked
    /// for, and none after the first bad one.
    /// </summary>
    private void CheckQuotes()
    {
        for (_checkedCell = 0; _checkedCell < _parser.Count && Defect is null; _checkedCell++)
            _ = _parser[_checkedCell];

        // A cell cut off by the end of the file behind a doubled quote looks closed to the parser. Quotes of a sound record come in pairs.
        if (Defect is null && _text is not { EndReached: false } && _parser.RawRecord.AsSpan().Count('"') % 2 != 0)
            Defect = UnclosedQuote(_parser.Count);
    }

    private void NoteBadCell(BadDataFoundArgs bad) => Defect ??=
        !bad.Field.StartsWith('"') ? StrayQuote("There is a quote inside an unquoted cell", bad.Field)
        : IsUnclosed(bad.Field) ? UnclosedQuote(_checkedCell + 1)
        : StrayQuote("There is text behind a closing quote", bad.Field);

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

/// <summary>Places inside the raw text of a record that was found sound.</summary>
internal static class RawRecord
{
    /// <summary>CR LF, LF, CR, or nothing on a last line without end.</summary>
    public static ReadOnlySpan<char> LineEnd(ReadOnlySpan<char> raw) => raw switch
    {
        [.., '\r', '\n'] => raw[^2..],
        [.., '\r' or '\n'] => raw[^1..],
        _ => default,
    };

    /// <summary>Where the raw text of a cell starts; one behind the end of the record (without line end) for the cell behind the last.</summary>
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
