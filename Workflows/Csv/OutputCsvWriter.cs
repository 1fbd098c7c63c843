using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;

namespace Darkroom.Csv;

/// <summary>
/// Writes the output CSV: the input, record for record and to the letter, with two cells more, <c>Output Image Urls</c> (see
/// <see cref="OutputUrlList"/>) and <c>Errors</c> (see <see cref="OutputErrorList"/>). Encoding, byte order mark, delimiter, quotes, line ends, blank
/// lines and a last line without end stay. The added cells stand under their headers in every row: a shorter row is filled up with empty
/// cells, a list that spilled over several cells becomes one quoted cell, empty cells beyond the header are cut.
/// </summary>
public sealed class OutputCsvWriter(IOptions<OutputCsvOptions> options)
{
    /// <param name="input">The object that was judged, from its first byte.</param>
    /// <param name="dialect">What judging found.</param>
    /// <param name="outcomes">One for each data row, ordered by row; read once, one at a time.</param>
    /// <param name="output">Flushed, not closed.</param>
    /// <param name="cancellationToken">Leaves the output half written.</param>
    /// <exception cref="InvalidDataException">The input is not the file that was judged, or outcomes and rows do not match.</exception>
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

        /// <summary>An empty line stays as it is; a line of nothing but delimiters is filled up, as a table's row.</summary>
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
                throw new InvalidDataException($"Row {row} of the CSV needs its outcome, but {(outcome is null ? "there is none" : $"that of row {outcome.Row} came")}.");
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

        /// <summary>The cells before the list to the letter, then the list as the one quoted cell that it should have been.</summary>
        private string GatherList(string body)
        {
            var list = file.Cells.List;
            // Cells apart from each other were joined by line breaks: a comma and a blank say the same and keep the row on one line.
            if (dialect.Delimiter != ',')
                list = string.Join(", ", file.Cells.Urls.Select(url => file.Cells.List[url]));
            var before = body.AsSpan(0, RawRecord.CellStart(body, dialect.Delimiter, dialect.UrlsColumn));
            return $"{before}\"{list.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        }
    }
}

/// <summary>What became of one row's images.</summary>
/// <param name="Row">As in <see cref="ProductRow"/>.</param>
/// <param name="Images">One for each URL of the row, in its sequence.</param>
public sealed record RowOutcome(int Row, IReadOnlyList<ImageResult> Images);

/// <summary>What became of one image: an address, or a code that says why there is none.</summary>
public readonly record struct ImageResult
{
    private ImageResult(string? url, string? errorCode) => (Url, ErrorCode) = (url, errorCode);

    public string? Url { get; }
    public string? ErrorCode { get; }

    public static ImageResult Succeeded(string url) => new(url, null);
    public static ImageResult Failed(string errorCode) => new(null, errorCode);
}

/// <summary>The cell <c>Errors</c>: position and code of each failed image of the row, <c>2: not_found; 3: timeout</c>; empty when none failed.</summary>
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
