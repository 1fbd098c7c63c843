using System.Runtime.CompilerServices;

namespace Darkroom.Csv;

/// <summary>Streams the products of a file that <see cref="CsvValidator"/> found valid, using the same grammar.</summary>
public static class ProductReader
{
    /// <exception cref="InvalidDataException">The stream is not the file that was validated.</exception>
    public static async IAsyncEnumerable<ProductRow> ReadAsync(
        Stream csv, CsvDialect dialect, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var file = await ValidatedCsv.OpenAsync(csv, dialect, cancellationToken);
        await file.SkipHeaderAsync();
        for (var row = 1; await file.NextRowAsync(); row++)
            yield return file.Cells.ToRow(file.Records, row);
    }
}

/// <summary>One product: a data row of the file.</summary>
/// <param name="Row">1-based number of the data row; blank lines do not count.</param>
/// <param name="Line">1-based line of the file on which the record starts.</param>
/// <param name="Serial">As written: serials are text (<c>1.</c>, <c>007</c>).</param>
/// <param name="Name">As written.</param>
/// <param name="Urls">At least one, in file order, including duplicates; as written, but trimmed.</param>
public sealed record ProductRow(int Row, long Line, string Serial, string Name, IReadOnlyList<string> Urls);
