using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;

namespace Darkroom.Csv;

/// <summary>
/// Writes the output CSV: the input, verbatim record by record, plus two columns, <c>Output Image Urls</c> (see
/// <see cref="OutputUrlList"/>) and <c>Errors</c> (see <see cref="OutputErrorList"/>). Encoding, byte order mark, delimiter, quotes, line
/// endings,
/// blank lines and a missing final line ending are kept. The added cells line up with their headers in every row: a short row is padded
/// with
/// empty cells, a list that spilled over several cells becomes one quoted cell, and empty cells beyond the header are dropped.
/// </summary>
public sealed class OutputCsvWriter(IOptions<OutputCsvOptions> options)
{
    /// <param name="input">The validated file, from its first byte.</param>
    /// <param name="dialect">The dialect that validation found.</param>
    /// <param name="outcomes">One per data row, ordered by row; enumerated once.</param>
    /// <param name="output">Flushed, not closed.</param>
    /// <param name="cancellationToken">Cancelling leaves the output incomplete.</param>
    /// <exception cref="InvalidDataException">The input is not the file that was validated, or outcomes and rows do not match.</exception>
    public async Task WriteAsync(
        Stream input, CsvDialect dialect, IAsyncEnumerable<RowOutcome> outcomes, Stream output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(dialect);
        ArgumentNullException.ThrowIfNull(outcomes);
        ArgumentNullException.ThrowIfNull(output);

        using var file = await ValidatedCsv.OpenAsync(input, dialect, cancellationToken);
        var merge = new Merge(file, dialect, new CsvTextWriter(output, dialect.Encoding), options.Value.GuardInputCells);
        await using var nextOutcome = outcomes.GetAsyncEnumerator(cancellationToken);
        await merge.RunAsync(nextOutcome, cancellationToken);
        await output.FlushAsync(cancellationToken);
    }

    private sealed class Merge(ValidatedCsv file, CsvDialect dialect, CsvTextWriter writer, bool guardInput)
    {
        public async Task RunAsync(IAsyncEnumerator<RowOutcome> outcomes, CancellationToken cancellationToken)
        {
            if (dialect.Bom)
                writer.WriteByteOrderMark();
            var row = -1;
            while (await file.NextRecordAsync())
            {
                if (file.Records.Defect is null && file.Records.IsBlank)
                    CopyBlank();
                else if (++row == 0)
                    CopyHeader();
                else
                    CopyRow(await outcomes.MoveNextAsync() ? outcomes.Current : null, row);
                await writer.EndRecordAsync(cancellationToken);
            }
            if (await outcomes.MoveNextAsync())
                throw new InvalidDataException($"There is an outcome for row {outcomes.Current.Row}, but the CSV has only {row} rows.");
            await writer.FlushAsync(cancellationToken);
        }

        /// <summary>An empty line is kept as it is; a line of nothing but delimiters is padded like a row.</summary>
        private void CopyBlank()
        {
            if (file.Records.Count == 1)
                writer.Write(file.Records.Raw);
            else
                CopyWith("", "");
        }

        private void CopyHeader() => CopyWith(CsvHeader.OutputUrls, CsvHeader.Errors);

        private void CopyRow(RowOutcome? outcome, int row)
        {
            if (outcome?.Row != row)
                throw new InvalidDataException($"Row {row} of the CSV needs its outcome, but {(outcome is null ? "there is none" : $"got that of row {outcome.Row}")}.");
            file.ReadCells();
            if (outcome.Images.Count != file.Cells.Urls.Count)
                throw new InvalidDataException($"Row {row} of the CSV has {file.Cells.Urls.Count} URLs, but {outcome.Images.Count} outcomes.");
            CopyWith(OutputUrlList.Format(outcome.Images.Select(image => image.Url)), OutputErrorList.Format(outcome.Images), file.Cells.IsSpilled);
        }

        private void CopyWith(string urls, string errors, bool isSpilled = false)
        {
            var raw = file.Records.Raw;
            var lineEnd = RawRecord.LineEnd(raw);
            var body = raw[..^lineEnd.Length];
            var cells = file.Records.Count;

            if (isSpilled)
                (body, cells) = (GatherList(body), dialect.UrlsColumn + 1);
            else if (cells > dialect.HeaderCells)
                (body, cells) = (body[..(RawRecord.CellStart(body, dialect.Delimiter, dialect.HeaderCells) - 1)], dialect.HeaderCells);

            writer.Write(guardInput ? FormulaGuard.GuardRecord(body, dialect.Delimiter) : body);
            writer.Write(dialect.Delimiter, dialect.HeaderCells - cells + 1);
            writer.WriteCell(FormulaGuard.Guard(urls), dialect.Delimiter);
            writer.Write(dialect.Delimiter, 1);
            writer.WriteCell(FormulaGuard.Guard(errors), dialect.Delimiter);
            writer.Write(lineEnd);
        }

        /// <summary>
        /// Copies the cells before the list verbatim and joins the spilled list into the single quoted cell it should have been.
        /// </summary>
        private string GatherList(string body)
        {
            var list = file.Cells.List;
            // The spilled cells were joined by line breaks. A comma and a space mean the same and keep the row on one line.
            if (dialect.Delimiter != ',')
                list = string.Join(", ", file.Cells.Urls.Select(url => file.Cells.List[url]));
            var before = body.AsSpan(0, RawRecord.CellStart(body, dialect.Delimiter, dialect.UrlsColumn));
            return $"{before}\"{list.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        }
    }
}

/// <summary>The outcomes of one row's images.</summary>
/// <param name="Row">As in <see cref="ProductRow"/>.</param>
/// <param name="Images">One per URL of the row, in the same order.</param>
public sealed record RowOutcome(int Row, IReadOnlyList<ImageResult> Images);

/// <summary>The outcome of one image: the URL of its result, or an error code.</summary>
public readonly record struct ImageResult
{
    private ImageResult(string? url, string? errorCode) => (Url, ErrorCode) = (url, errorCode);

    public string? Url { get; }
    public string? ErrorCode { get; }

    public static ImageResult Succeeded(string url) => new(url, null);
    public static ImageResult Failed(string errorCode) => new(null, errorCode);
}

/// <summary>
/// Formats the <c>Errors</c> cell: position and code of each failed image in the row, as in <c>2: not_found; 3: timeout</c>; empty if
/// none failed.
/// </summary>
public static class OutputErrorList
{
    public static string Format(IReadOnlyList<ImageResult> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        var cell = new StringBuilder();
        for (var index = 0; index < images.Count; index++)
        {
            if (images[index].Url is null)
                cell.Append(cell.Length > 0 ? "; " : "").Append(CultureInfo.InvariantCulture, $"{index + 1}: {images[index].ErrorCode ?? "unknown"}");
        }
        return cell.ToString();
    }
}
