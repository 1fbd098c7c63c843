using Microsoft.Extensions.Options;

namespace Darkroom.Requests.Csv;

/// <summary>
/// Judges a CSV by nothing but itself and the system's limits: encoding, grammar, columns, every row, every URL's form. Pulls the stream once, from
/// start to end, in constant memory; hand it a stream that passes on what is read to store the file meanwhile.
/// </summary>
public sealed class CsvJudge(IOptions<CsvLimits> limits)
{
    /// <summary>Never throws for what the file contains; only the stream's own failures and cancellation pass through.</summary>
    public Task<CsvVerdict> JudgeAsync(Stream csv, CancellationToken cancellationToken) => throw new NotImplementedException(limits.Value.ToString());
}
