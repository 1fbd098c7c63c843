using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;

namespace Darkroom.Csv;

/// <summary>
/// Judges a CSV by nothing but itself and the system's limits: encoding, grammar, columns, every row, every URL's form. Pulls the stream once, from
/// start to end, in constant memory; hand it a stream that passes on what is read to store the file meanwhile.
/// </summary>
public sealed class CsvValidator(IOptions<CsvLimits> limits)
{
    /// <summary>Never throws for what the file contains; only the stream's own failures and cancellation pass through.</summary>
    public async Task<CsvValidationResult> ValidateAsync(Stream csv, CancellationToken cancellationToken)
    {
        var errors = new CsvErrors(limits.Value.MaxListedErrors);
        using var file = await CsvFile.OpenAsync(csv, limits.Value, errors, cancellationToken);
        return file is null
            ? new CsvValidationResult(null, 0, 0, errors.Listed, errors.Count, ReadToEnd: false)
            : await ValidateRowsAsync(file, errors);
    }

    private async Task<CsvValidationResult> ValidateRowsAsync(CsvFile file, CsvErrors errors)
    {
        var (records, cells) = (file.Records, new ProductCells(file.Dialect, limits.Value));
        var (products, images, exceeded) = (0, 0, false);

        await file.SkipHeaderAsync();
        while (!exceeded && await records.ReadAsync())
        {
            if (records.Defect is null && records.IsBlank)
                continue;
            products++;
            if (cells.Read(records, errors))
            {
                images += cells.Urls.Count;
                cells.CheckUrls(records, errors);
            }
            exceeded = Exceeds(products, images, records.Line, errors);
        }

        if (records.Fatal is not null)
            errors.Add(records.Fatal);
        else if (products == 0)
            errors.Add(records.Line, null, CsvErrorCodes.NoRows, "There is no row below the header. Add at least one product.");
        return new CsvValidationResult(file.Dialect, products, images, errors.Listed, errors.Count, ReadToEnd: !exceeded && records.Fatal is null);
    }

    private bool Exceeds(int products, int images, long line, CsvErrors errors)
    {
        if (products > limits.Value.MaxRows)
            errors.Add(line, null, CsvErrorCodes.TooManyRows, $"The file has more than {limits.Value.MaxRows} rows. Split it.");
        else if (images > limits.Value.MaxImages)
            errors.Add(line, null, CsvErrorCodes.TooManyImages, $"The file has more than {limits.Value.MaxImages} image URLs. Split it.");
        else
            return false;
        return true;
    }
}

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
