using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Darkroom.Requests.Csv;

/// <summary>
/// One record after the other, with its line and its raw text. CsvHelper parses; what it would let pass or hold in memory without bound
/// is caught here: quotes that are out of place or never closed, cells, records and rows of columns that grow beyond the limits.
/// </summary>
internal sealed class CsvRecordReader : IDisposable
{
    private readonly CsvParser parser;
    private readonly CsvText? text;
    private readonly CsvLimits limits;
    private long recordStart;
    private int checkedCell;

    public CsvRecordReader(TextReader source, char delimiter, CsvLimits limits)
    {
        this.limits = limits;
        text = source as CsvText;
        if (text is not null)
            text.BeforeRefill = StopOversized;
        Delimiter = delimiter;
        parser = new CsvParser(source, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter.ToString(),
            IgnoreBlankLines = false,
            BufferSize = 2 * CsvText.Chunk,
            MaxFieldSize = limits.MaxCellLength,
            ExceptionMessagesContainRawData = false,
            BadDataFound = NoteStrayQuote,
        });
    }

    public char Delimiter { get; }

    /// <summary>1-based line on which the present record starts.</summary>
    public long Line { get; private set; } = 1;

    public int Count => parser.Count;
    public string this[int cell] => parser[cell];

    /// <summary>The present record to the letter, line end included. Made anew at each call.</summary>
    public string Raw => parser.RawRecord;

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

    public long CharactersRead => parser.CharCount;

    /// <returns>False at the end, and where reading stopped for <see cref="Fatal"/>.</returns>
    public async ValueTask<bool> ReadAsync()
    {
        if (Fatal is not null)
            return false;
        Line = parser.RawRow + 1L;
        recordStart = parser.CharCount;
        Defect = null;
        try
        {
            if (!await parser.ReadAsync().ConfigureAwait(false))
                return false;
            StopOversized();
        }
        catch (CsvRefusedException refusal)
        {
            Fatal ??= new CsvError(parser.RawRow, parser.Count + 1, refusal.Code, refusal.Message, refusal.Value);
            return false;
        }
        catch (MaxFieldSizeException)
        {
            Fatal = SpansLines ? UnclosedQuote(parser.Count + 1) : CsvError.At(Line, parser.Count + 1, CsvErrorCodes.CellTooLong,
                $"This cell is longer than {limits.MaxCellLength} characters. Shorten it.");
            return false;
        }
        CheckQuotes();
        return true;
    }

    public void Dispose() => parser.Dispose();

    private bool SpansLines => parser.RawRow > Line;

    /// <summary>The parser asks for more only when it has used up what it has, all of it for one record: its size is known here while it still grows.</summary>
    private void StopOversized()
    {
        if (parser.Count > limits.MaxColumns)
            Fatal = CsvError.At(Line, null, CsvErrorCodes.TooManyColumns, $"This row has more than {limits.MaxColumns} cells. Remove the surplus columns.");
        else if (parser.CharCount - recordStart > limits.MaxRecordLength)
            Fatal = SpansLines ? UnclosedQuote(parser.Count + 1) : CsvError.At(Line, null, CsvErrorCodes.RecordTooLong,
                $"This row is longer than {limits.MaxRecordLength} characters. Shorten it.");
        if (Fatal is not null)
            throw new CsvRefusedException(Fatal.Code, Fatal.Message);
    }

    /// <summary>
    /// CsvHelper tells of a bad cell only when the cell is asked for, each time with a copy of the whole record: so all are asked
    /// for, and none after the first bad one.
    /// </summary>
    private void CheckQuotes()
    {
        for (checkedCell = 0; checkedCell < parser.Count && Defect is null; checkedCell++)
            _ = parser[checkedCell];

        // A cell cut off by the end of the file behind a doubled quote looks closed to the parser. Quotes of a sound record come in pairs.
        if (text is { EndReached: false })
            return;
        if (parser.RawRecord.AsSpan().Count('"') % 2 != 0)
            Defect = UnclosedQuote(Defect?.Column ?? parser.Count);
    }

    private void NoteStrayQuote(BadDataFoundArgs bad) =>
        Defect ??= CsvError.At(Line, checkedCell + 1, CsvErrorCodes.StrayQuote,
            bad.Field.StartsWith('"')
                ? "There is text behind a closing quote. Quote the whole cell and double each quote inside it."
                : "There is a quote inside an unquoted cell. Quote the whole cell and double each quote inside it.",
            bad.Field);

    private CsvError UnclosedQuote(int column) => CsvError.At(Line, column, CsvErrorCodes.UnclosedQuote,
        "A quoted cell that starts in this row is not closed. Add the closing quote, and double each quote inside the cell.");
}
