namespace Darkroom.Csv;

/// <summary>A CSV opened for reading: its dialect is known, its records are not yet read.</summary>
internal sealed class CsvFile : IDisposable
{
    private CsvFile(CsvDialect dialect, CsvRecordReader records) => (Dialect, Records) = (dialect, records);

    public CsvDialect Dialect { get; }
    public CsvRecordReader Records { get; }

    /// <returns>Null if the file cannot be read; <paramref name="errors"/> say why.</returns>
    public static async Task<CsvFile?> OpenAsync(Stream csv, CsvLimits limits, CsvErrors errors, CancellationToken cancellationToken)
    {
        var text = new CsvText(csv, limits.MaxFileBytes, cancellationToken);
        try
        {
            var peeked = await text.PeekAsync(CsvHeader.PeekLength);
            var found = new CsvErrors(limits.MaxListedErrors);
            if (await CsvHeader.FindAsync(peeked, text, limits, found) is { } dialect)
                return new CsvFile(dialect, new CsvRecordReader(text, dialect.Delimiter, limits));

            // The file is damaged this close to the header, which explains why the header makes no sense: report the damage instead.
            if (text.Refusal is { } refusal)
                errors.Add(new CsvError(1 + LineEnds(peeked), null, refusal.Code, refusal.Message, refusal.Value));
            else
                found.MoveTo(errors);
            return null;
        }
        catch (CsvRefusedException refusal)
        {
            errors.Add(new CsvError(1, null, refusal.Code, refusal.Message, refusal.Value));
            return null;
        }
    }

    /// <summary>Reads past the header record, which <see cref="OpenAsync"/> has already found.</summary>
    public async Task SkipHeaderAsync()
    {
        while (await Records.ReadAsync() && Records.IsBlank)
        {
        }
    }

    private static long LineEnds(ReadOnlySpan<char> text) => text.Count('\n') + text.Count('\r') - text.Count("\r\n");

    public void Dispose() => Records.Dispose();
}
