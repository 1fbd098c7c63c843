using System.Diagnostics.CodeAnalysis;

namespace Darkroom.Csv;

/// <summary>What <see cref="CsvValidator"/> says of a file.</summary>
/// <param name="Dialect">Present in every valid file; may be present in an invalid one.</param>
/// <param name="Products">Data rows; more than 0 in a valid file.</param>
/// <param name="Images">URLs of all rows; more than 0 in a valid file.</param>
/// <param name="Errors">The first ones, in the file's sequence.</param>
/// <param name="ErrorCount">All that were found, listed or not.</param>
/// <param name="ReadToEnd">False where judging stopped early: behind such an error (a size, an encoding, a quote) nothing can be told apart any more.</param>
public sealed record CsvValidationResult(
    CsvDialect? Dialect,
    int Products,
    int Images,
    IReadOnlyList<CsvError> Errors,
    long ErrorCount,
    bool ReadToEnd)
{
    [MemberNotNullWhen(true, nameof(Dialect))]
    public bool IsValid => ErrorCount == 0;
}
