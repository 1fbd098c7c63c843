using System.Globalization;
using System.Text;

namespace Darkroom.Csv;

/// <summary>One reason why a file is rejected, with its location.</summary>
/// <param name="Line">1-based line of the start of the record, or of the offending byte.</param>
/// <param name="Column">1-based cell; null if the error concerns the whole record or file.</param>
/// <param name="Code">One of <see cref="CsvErrorCodes"/>.</param>
/// <param name="Message">For the person who fixes the file: what is wrong and what to do.</param>
/// <param name="Value">The offending text, shortened, with control characters escaped, so that it is safe in logs and terminals.</param>
public sealed record CsvError(long Line, int? Column, string Code, string Message, string? Value)
{
    private const int ShownCharacters = 120;

    internal static CsvError At(long line, int? column, string code, string message, ReadOnlySpan<char> value = default) =>
        new(line, column, code, message, value.IsEmpty ? null : Show(value));

    internal static string Show(ReadOnlySpan<char> text)
    {
        var shown = new StringBuilder(Math.Min(text.Length, ShownCharacters) + 8);
        foreach (var c in text[..Math.Min(text.Length, ShownCharacters)])
            Append(shown, c);
        if (text.Length > ShownCharacters)
            shown.Append('…');
        return shown.ToString();
    }

    private static void Append(StringBuilder shown, char c)
    {
        // Surrogates too: truncation could split a pair and leave invalid text.
        var escape = char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
        if (escape)
            shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
        else
            shown.Append(c);
    }
}

/// <summary>The stable codes of <see cref="CsvError"/>. Clients branch on them, so a code never changes its meaning.</summary>
public static class CsvErrorCodes
{
    /// <summary>The file is of another kind: a workbook, an archive, an image.</summary>
    public const string NotCsv = "not_csv";
    public const string EmptyFile = "empty_file";
    public const string FileTooLarge = "file_too_large";
    public const string UnsupportedEncoding = "unsupported_encoding";
    public const string InvalidEncoding = "invalid_encoding";
    public const string NulCharacter = "nul_character";

    public const string MissingColumn = "missing_column";
    public const string DuplicateColumn = "duplicate_column";
    /// <summary>The header already has a column that the output adds.</summary>
    public const string ReservedColumn = "reserved_column";
    public const string NoRows = "no_rows";

    public const string UnclosedQuote = "unclosed_quote";
    /// <summary>A quote inside an unquoted cell, or text after a closing quote.</summary>
    public const string StrayQuote = "stray_quote";
    public const string CellTooLong = "cell_too_long";
    public const string RecordTooLong = "record_too_long";
    public const string TooManyColumns = "too_many_columns";
    public const string TooManyRows = "too_many_rows";
    public const string TooManyImages = "too_many_images";
    public const string TooManyImagesInRow = "too_many_images_in_row";

    /// <summary>More cells than the header has, and they cannot be a spilled list because the list is not in the last column.</summary>
    public const string ExtraCells = "extra_cells";
    public const string MissingUrl = "missing_url";
    /// <summary>Two separators in a list with nothing between them.</summary>
    public const string EmptyUrl = "empty_url";
    public const string AmbiguousUrlList = "ambiguous_url_list";
    public const string InvalidUrl = "invalid_url";
    public const string UnsupportedScheme = "unsupported_scheme";
    public const string UrlHasCredentials = "url_has_credentials";
    public const string UrlTooLong = "url_too_long";
}

/// <summary>Collects the first errors of a file and counts them all.</summary>
internal sealed class CsvErrors(int listed)
{
    private readonly List<CsvError> _list = [];

    public IReadOnlyList<CsvError> Listed => _list;
    public long Count { get; private set; }

    public void Add(CsvError error)
    {
        if (Count++ < listed)
            _list.Add(error);
    }

    public void Add(long line, int? column, string code, string message, ReadOnlySpan<char> value = default)
    {
        if (Count++ < listed)
            _list.Add(CsvError.At(line, column, code, message, value));
    }

    public void MoveTo(CsvErrors others)
    {
        foreach (var error in _list)
            others.Add(error);
    }
}
