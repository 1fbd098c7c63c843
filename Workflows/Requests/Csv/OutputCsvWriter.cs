using Microsoft.Extensions.Options;

namespace Darkroom.Requests.Csv;

/// <summary>Writes the output CSV: the input, record for record, with two cells more.</summary>
public sealed class OutputCsvWriter(IOptions<CsvLimits> limits, IOptions<OutputCsvOptions> options)
{
    /// <param name="input">The object that was judged, from its first byte.</param>
    /// <param name="dialect">What judging found.</param>
    /// <param name="outcomes">One for each data row, ordered by row; read once, one at a time.</param>
    /// <param name="output">Flushed, not closed.</param>
    /// <param name="cancellationToken">Leaves the output half written.</param>
    /// <exception cref="InvalidDataException">The input is not the file that was judged, or outcomes and rows do not match.</exception>
    public Task WriteAsync(Stream input, CsvDialect dialect, IAsyncEnumerable<RowOutcome> outcomes, Stream output, CancellationToken cancellationToken) =>
        throw new NotImplementedException(limits.Value.ToString() + options.Value);
}
