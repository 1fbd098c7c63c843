using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;

namespace Darkroom.Csv;

/// <summary>
/// Validates a CSV against the format and the system's limits: encoding, grammar, columns, every row, the syntax of every URL. Reads the
/// stream once, from start to end, in constant memory; pass a stream that copies what is read to store the file at the same time.
/// </summary>
public sealed class CsvValidator(IOptions<CsvLimits> limits)
{
    /// <summary>Never throws because of the file's content; only stream failures and cancellation propagate.</summary>
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
            errors.Add(records.Line, null, CsvErrorCodes.NoRows, "There are no rows below the header. Add at least one product.");
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

/// <summary>The result of <see cref="CsvValidator"/>.</summary>
/// <param name="Dialect">Set for every valid file; may be set for an invalid one.</param>
/// <param name="Products">Number of data rows; at least 1 in a valid file.</param>
/// <param name="Images">Number of URLs in all rows; at least 1 in a valid file.</param>
/// <param name="Errors">The first errors, in file order.</param>
/// <param name="ErrorCount">Number of errors found, listed or not.</param>
/// <param name="ReadToEnd">False if validation stopped early: after some errors (size, encoding, an unclosed quote) the rest cannot be
/// parsed reliably.</param>
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
