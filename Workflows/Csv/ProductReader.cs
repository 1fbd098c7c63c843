using System.Runtime.CompilerServices;

namespace Darkroom.Csv;

/// <summary>Reads the products of a file that <see cref="CsvValidator"/> found valid, by the same grammar, one at a time.</summary>
public static class ProductReader
{
    /// <exception cref="InvalidDataException">The object is not the file that was judged.</exception>
    public static async IAsyncEnumerable<ProductRow> ReadAsync(
        Stream csv, CsvDialect dialect, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var file = await ValidatedCsv.OpenAsync(csv, dialect, cancellationToken);
        await file.SkipHeaderAsync();
        for (var row = 1; await file.NextRowAsync(); row++)
            yield return file.Cells.ToRow(file.Records, row);
    }
}
