namespace Darkroom.Csv;

/// <summary>
/// Reads one record as a product. The only place that knows where a row's URL list is: in its own column or, if that is the last named
/// column, possibly spilled into the cells after it.
/// </summary>
internal sealed class ProductCells(CsvDialect dialect, CsvLimits limits)
{
    private readonly List<Range> _urls = [];

    /// <summary>The text of the list, into which <see cref="Urls"/> point.</summary>
    public string List { get; private set; } = "";

    /// <summary>Where the URLs are in <see cref="List"/>; valid only if <see cref="Read"/> returned true.</summary>
    public IReadOnlyList<Range> Urls => _urls;

    public bool IsSpilled { get; private set; }

    /// <returns>Whether the list could be read. Its URLs are checked by <see cref="CheckUrls"/>.</returns>
    public bool Read(CsvRecordReader record, CsvErrors errors)
    {
        _urls.Clear();
        if (record.Defect is not null)
        {
            errors.Add(record.Defect);
            return false;
        }
        return FindList(record, errors) && SplitList(record, errors);
    }

    public void CheckUrls(CsvRecordReader record, CsvErrors errors)
    {
        for (var index = 0; index < _urls.Count; index++)
        {
            var url = List.AsSpan(_urls[index]);
            var (code, message) = UrlForm.Check(url, limits.MaxUrlLength);
            if (code is not null)
                errors.Add(record.Line, dialect.UrlsColumn + 1, code, _urls.Count == 1 ? message : $"URL {index + 1} of {_urls.Count}: {message}", url);
        }
    }

    public ProductRow ToRow(CsvRecordReader record, int row)
    {
        var list = new string[_urls.Count];
        for (var index = 0; index < list.Length; index++)
            list[index] = List[_urls[index]];
        return new ProductRow(row, record.Line, Cell(record, dialect.SerialColumn), Cell(record, dialect.NameColumn), list);
    }

    private static string Cell(CsvRecordReader record, int cell) => cell < record.Count ? record[cell] : "";

    private bool FindList(CsvRecordReader record, CsvErrors errors)
    {
        var last = record.Count - 1;
        while (last >= dialect.NamedColumns && string.IsNullOrWhiteSpace(record[last]))
            last--;
        IsSpilled = last >= dialect.NamedColumns;
        if (!IsSpilled)
        {
            List = Cell(record, dialect.UrlsColumn);
            return true;
        }
        if (dialect.UrlsColumn != dialect.NamedColumns - 1)
        {
            errors.Add(record.Line, last + 1, CsvErrorCodes.ExtraCells,
                "This row has more cells than the header has names. Put the list of URLs, and every cell that contains the delimiter, in quotes.", record[last]);
            return false;
        }
        return JoinSpilled(record, last, errors);
    }

    /// <summary>
    /// Joins a list that was written without quotes. If the delimiter is a comma, this restores the text as it would be with quotes, and
    /// the list grammar decides. Other delimiters are not part of that grammar, so every cell must start a URL; otherwise the delimiter may
    /// have been part of one.
    /// </summary>
    private bool JoinSpilled(CsvRecordReader record, int last, CsvErrors errors)
    {
        var cells = Enumerable.Range(dialect.UrlsColumn, last - dialect.UrlsColumn + 1).Select(cell => record[cell]);
        if (dialect.Delimiter == ',')
        {
            List = string.Join(',', cells);
            return true;
        }
        foreach (var cell in cells)
        {
            if (string.IsNullOrWhiteSpace(cell))
                errors.Add(record.Line, dialect.UrlsColumn + 1, CsvErrorCodes.EmptyUrl, EmptyUrlMessage);
            else if (!cell.Contains("://", StringComparison.Ordinal))
                errors.Add(record.Line, dialect.UrlsColumn + 1, CsvErrorCodes.AmbiguousUrlList,
                    "This row has cells after its URL list that are not URLs. Put the list in quotes; if the delimiter belongs to a URL, encode it.", cell);
            else
                continue;
            return false;
        }
        List = string.Join('\n', cells);
        return true;
    }

    private const string EmptyUrlMessage = "The list of URLs has an empty entry. Remove the extra separator.";

    private bool SplitList(CsvRecordReader record, CsvErrors errors)
    {
        var fault = UrlList.Split(List, _urls, limits.MaxImagesPerRow, out var place);
        if (fault == UrlListFault.None)
            return true;
        var (code, message) = fault switch
        {
            UrlListFault.Missing => (CsvErrorCodes.MissingUrl, "This row has no image URL. Add one or remove the row."),
            UrlListFault.EmptyUrl => (CsvErrorCodes.EmptyUrl, EmptyUrlMessage),
            UrlListFault.TooMany => (CsvErrorCodes.TooManyImagesInRow, $"This row has more than {limits.MaxImagesPerRow} image URLs. Split it."),
            _ => (CsvErrorCodes.AmbiguousUrlList,
                "This may be one URL or several. Separate URLs by a comma and a space, and write a comma inside a URL as %2C."),
        };
        errors.Add(record.Line, dialect.UrlsColumn + 1, code, message, List.AsSpan(place));
        return false;
    }
}
