using System.Text;

namespace Darkroom.Csv;

/// <summary>
/// Detects the delimiter and the columns: tries comma, semicolon and tab, and takes the one under which the first record names most of
/// the columns we need.
/// </summary>
internal static class CsvHeader
{
    public const string OutputUrls = "Output Image Urls";
    public const string Errors = "Errors";

    /// <summary>How much of a file is read to find its header, in characters.</summary>
    public const int PeekLength = 64 * 1024;

    private static readonly char[] Delimiters = [',', ';', '\t'];
    private static readonly string[] Reserved = [Normalise(OutputUrls), Normalise(Errors)];
    private static readonly Column Serial = new("S. No.", ["sno", "serialnumber"], "\"S. No.\" or \"Serial Number\"");
    private static readonly Column Name = new("Product Name", ["productname"], "\"Product Name\"");
    private static readonly Column Urls = new("Input Image Urls", ["inputimageurls"], "\"Input Image Urls\"");

    /// <param name="peeked">The start of the file.</param>
    /// <param name="text">Source of the encoding and byte order mark.</param>
    /// <param name="limits">Limits such as the number of columns.</param>
    /// <param name="errors">Receives what is wrong with the header; the result is then null.</param>
    public static async Task<CsvDialect?> FindAsync(string peeked, CsvText text, CsvLimits limits, CsvErrors errors)
    {
        Candidate? best = null;
        foreach (var delimiter in Delimiters)
        {
            var candidate = await ReadAsync(peeked, delimiter, limits);
            if (candidate.IsBlank || best is null || (!best.IsBlank && candidate.IsBetterThan(best)))
                best = candidate;
        }
        return best!.ToDialect(text, errors);
    }

    private static async Task<Candidate> ReadAsync(string peeked, char delimiter, CsvLimits limits)
    {
        using var records = new CsvRecordReader(new StringReader(peeked), delimiter, limits);
        while (await records.ReadAsync())
        {
            if (records.Defect is null && records.IsBlank)
                continue;
            // A record that fills the whole peeked text was truncated by it, unless the file ends there.
            var isWhole = records.CharactersRead < peeked.Length || peeked.Length < PeekLength;
            var cells = records.Defect is null ? Enumerable.Range(0, records.Count).Select(cell => records[cell].Trim()).ToArray() : [];
            return new Candidate(delimiter, records.Line, cells, isWhole ? records.Defect : HeaderTooLong(records.Line), RawRecord.LineEnd(records.Raw).ToString(), records.Count);
        }
        return new Candidate(delimiter, records.Line, null, records.Fatal, "", records.Count);
    }

    private static CsvError HeaderTooLong(long line) => CsvError.At(line, null, CsvErrorCodes.RecordTooLong,
        $"The header is longer than {PeekLength} characters. The first row must contain the column names.");

    /// <summary>Ignores case, white space, dots, hyphens and underscores: <c>S. No.</c> equals <c>s_no</c>.</summary>
    private static string Normalise(string name)
    {
        var normal = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            if (!char.IsWhiteSpace(c) && c is not ('.' or '_' or '-'))
                normal.Append(char.ToLowerInvariant(c));
        }
        return normal.ToString();
    }

    private sealed record Column(string Title, string[] Names, string Accepted)
    {
        public int[] FindIn(string[] normalised) => [.. Enumerable.Range(0, normalised.Length).Where(cell => Names.Contains(normalised[cell]))];
    }

    /// <param name="Cells">Null if the file has no record at all, empty if the first one is malformed.</param>
    private sealed record Candidate(char Delimiter, long Line, string[]? Cells, CsvError? Error, string NewLine, int Width)
    {
        private readonly string[] _normalised = [.. (Cells ?? []).Select(Normalise)];

        public bool IsBlank => Cells is null && Error is null;

        private int Recognised => Error is not null ? -1 : new[] { Serial, Name, Urls }.Count(column => column.FindIn(_normalised).Length > 0);

        public bool IsBetterThan(Candidate other) => (Recognised, Width).CompareTo((other.Recognised, other.Width)) > 0;

        public CsvDialect? ToDialect(CsvText text, CsvErrors errors)
        {
            if (Error is not null)
                errors.Add(Error);
            else if (Cells is null)
                errors.Add(1, null, CsvErrorCodes.EmptyFile, "This file starts with nothing but blank lines. It needs a header and at least one row.");
            else
                return FindColumns(text, errors);
            return null;
        }

        private CsvDialect? FindColumns(CsvText text, CsvErrors errors)
        {
            var before = errors.Count;
            foreach (var cell in Enumerable.Range(0, _normalised.Length).Where(cell => Reserved.Contains(_normalised[cell])))
                errors.Add(Line, cell + 1, CsvErrorCodes.ReservedColumn, $"The output adds the columns \"{OutputUrls}\" and \"{Errors}\". Remove or rename this one.", Cells![cell]);
            var (serial, name, urls) = (Find(Serial, errors), Find(Name, errors), Find(Urls, errors));
            if (errors.Count > before)
                return null;
            var named = Array.FindLastIndex(_normalised, cell => cell.Length > 0) + 1;
            return new CsvDialect(Delimiter, text.Encoding, text.HasBom, NewLine, _normalised.Length, named, serial, name, urls);
        }

        private int Find(Column column, CsvErrors errors)
        {
            var places = column.FindIn(_normalised);
            if (places.Length == 0)
                errors.Add(Line, null, CsvErrorCodes.MissingColumn, $"The header has no column {column.Accepted}. Add it; columns are separated by comma, semicolon or tab.", string.Join(", ", Cells!.Take(20)));
            foreach (var duplicate in places.Skip(1))
                errors.Add(Line, duplicate + 1, CsvErrorCodes.DuplicateColumn, $"The header has a second column for \"{column.Title}\". Keep one.", Cells![duplicate]);
            return places.FirstOrDefault();
        }
    }
}
