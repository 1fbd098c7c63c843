using Microsoft.Extensions.Options;

namespace Darkroom.Requests.Csv;

/// <summary>Reads the products of a file that <see cref="CsvJudge"/> found valid, by the same grammar, one at a time.</summary>
public sealed class ProductReader(IOptions<CsvLimits> limits)
{
    /// <exception cref="InvalidDataException">The object is not the file that was judged.</exception>
    public IAsyncEnumerable<ProductRow> ReadAsync(Stream csv, CsvDialect dialect, CancellationToken cancellationToken) =>
        throw new NotImplementedException(limits.Value.ToString());
}
