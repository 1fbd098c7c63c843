namespace Darkroom.Csv;

/// <summary>
/// Reads one record as a product. The one place that knows where a row's list is: in its column, or, where that is the last one that the
/// header names, spilled over the cells behind it.
/// </summary>
internal sealed class ProductCells(CsvDialect dialect, CsvLimits limits)
{
    private readonly List<Range> _urls = [];

    /// <summary>The text in which <see cref="Urls"/> lie.</summary>
    public string List { get; private set; } = "";

    /// <summary>The places of the URLs; meaningful after <see cref="Read"/> added no error.</summary>
    public IReadOnlyList<Range> Urls => _urls;

    public bool IsSpilled { get; private set; }

    /// <returns>Whether the list could be read; the form of its URLs is for <see cref="CheckUrls"/>.</returns>
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
                "This row has more cells than the header has names. Put the list of URLs, and every cell with a delimiter in it, in quotes.", record[last]);
            return false;
        }
        return JoinSpilled(record, last, errors);
    }

    /// <summary>
    /// A list that was written without quotes: with commas it is the very text it would be with quotes, and its grammar decides. Other
    /// delimiters do not occur in that grammar, so there each cell must begin a URL; otherwise the delimiter may have been part of one.
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
                errors.Add(record.Line, dialect.UrlsColumn + 1, CsvErrorCodes.EmptyUrl, HoleMessage);
            else if (!cell.Contains("://", StringComparison.Ordinal))
                errors.Add(record.Line, dialect.UrlsColumn + 1, CsvErrorCodes.AmbiguousUrlList,
                    "This row has cells behind its list that are no URLs. Put the list in quotes; if the delimiter belongs to a URL, encode it.", cell);
            else
                continue;
            return false;
        }
        List = string.Join('\n', cells);
        return true;
    }

    private const string HoleMessage = "The list of URLs has an empty place. Remove the surplus separator.";

    private bool SplitList(CsvRecordReader record, CsvErrors errors)
    {
        var fault = UrlList.Split(List, _urls, limits.MaxImagesPerRow, out var place);
        if (fault == UrlListFault.None)
            return true;
        var (code, message) = fault switch
        {
            UrlListFault.Missing => (CsvErrorCodes.MissingUrl, "This row has no image URL. Add one or remove the row."),
            UrlListFault.Hole => (CsvErrorCodes.EmptyUrl, HoleMessage),
            UrlListFault.TooMany => (CsvErrorCodes.TooManyImagesInRow, $"This row has more than {limits.MaxImagesPerRow} image URLs. Split it."),
            _ => (CsvErrorCodes.AmbiguousUrlList,
                "This may be one URL or several. Separate URLs by a comma and a blank, and write a comma inside a URL as %2C."),
        };
        errors.Add(record.Line, dialect.UrlsColumn + 1, code, message, List.AsSpan(place));
        return false;
    }
}
