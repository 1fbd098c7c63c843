namespace Darkroom.Csv;

/// <summary>The stable codes of <see cref="CsvError"/>: clients branch on them, so a code never changes its meaning.</summary>
public static class CsvErrorCodes
{
    /// <summary>The bytes are of another kind of file: a workbook, an archive, an image.</summary>
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

    /// <summary>More cells than the header has, and they cannot be a spilled list because the list's column is not the last.</summary>
    public const string ExtraCells = "extra_cells";
    public const string MissingUrl = "missing_url";
    /// <summary>A hole in a list: two separators with nothing between them.</summary>
    public const string EmptyUrl = "empty_url";
    public const string AmbiguousUrlList = "ambiguous_url_list";
    public const string InvalidUrl = "invalid_url";
    public const string UnsupportedScheme = "unsupported_scheme";
    public const string UrlHasCredentials = "url_has_credentials";
    public const string UrlTooLong = "url_too_long";
}
