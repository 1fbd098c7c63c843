namespace Darkroom.Csv;

/// <summary>Reads a file again that was validated before. An error now means that the stored object has changed.</summary>
internal sealed class ValidatedCsv : IDisposable
{
    private readonly CsvFile _file;
    private readonly CsvErrors _errors;

    private ValidatedCsv(CsvFile file, CsvErrors errors) =>
        (_file, _errors, Cells) = (file, errors, new ProductCells(file.Dialect, CsvLimits.Widest));

    public CsvRecordReader Records => _file.Records;
    public ProductCells Cells { get; }

    public static async Task<ValidatedCsv> OpenAsync(Stream csv, CsvDialect dialect, CancellationToken cancellationToken)
    {
        var errors = new CsvErrors(1);
        var file = await CsvFile.OpenAsync(csv, CsvLimits.Widest, errors, cancellationToken);
        if (file is null)
            throw Changed(errors.Listed[0]);
        if (file.Dialect == dialect)
            return new ValidatedCsv(file, errors);
        file.Dispose();
        throw new InvalidDataException("The CSV is not the one that was validated: its format differs.");
    }

    public Task SkipHeaderAsync() => _file.SkipHeaderAsync();

    /// <summary>The next record, blank or not; false at the end.</summary>
    public async ValueTask<bool> NextRecordAsync()
    {
        if (await Records.ReadAsync())
            return true;
        return Records.Fatal is null ? false : throw Changed(Records.Fatal);
    }

    /// <summary>The next data record, read into <see cref="Cells"/>; false at the end.</summary>
    public async ValueTask<bool> NextRowAsync()
    {
        while (await NextRecordAsync())
        {
            if (Records.Defect is null && Records.IsBlank)
                continue;
            ReadCells();
            return true;
        }
        return false;
    }

    public void ReadCells()
    {
        if (!Cells.Read(Records, _errors))
            throw Changed(_errors.Listed[0]);
    }

    public void Dispose() => _file.Dispose();

    private static InvalidDataException Changed(CsvError error) =>
        new($"The CSV is not the one that was validated: line {error.Line}: {error.Code}.");
}
