using System.Text;
using Darkroom.Csv;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Csv;

/// <summary>Shorthand for the CSV tests: validate text, read rows, write the output.</summary>
internal static class CsvTesting
{
    public const string Header = "S. No.,Product Name,Input Image Urls";

    public static Task<CsvValidationResult> ValidateAsync(string csv, CsvLimits? limits = null) => ValidateAsync(Encoding.UTF8.GetBytes(csv), limits);

    public static Task<CsvValidationResult> ValidateAsync(byte[] csv, CsvLimits? limits = null) => ValidateAsync(new MemoryStream(csv), limits);

    public static Task<CsvValidationResult> ValidateAsync(Stream csv, CsvLimits? limits = null) =>
        new CsvValidator(Options.Create(limits ?? new CsvLimits())).ValidateAsync(csv, CancellationToken.None);

    public static async Task<List<ProductRow>> ReadAsync(byte[] csv)
    {
        var validation = await ValidateAsync(csv);
        Assert.True(validation.IsValid, string.Join('\n', validation.Errors));
        var rows = await ProductReader.ReadAsync(new MemoryStream(csv), validation.Dialect, CancellationToken.None).ToListAsync();
        Assert.Equal((rows.Count, rows.Sum(row => row.Urls.Count)), (validation.Products, validation.Images));
        return rows;
    }

    public static Task<List<ProductRow>> ReadAsync(string csv) => ReadAsync(Encoding.UTF8.GetBytes(csv));

    /// <summary>The URLs of a one-row file with this raw cell as its list.</summary>
    public static async Task<IReadOnlyList<string>> UrlsOfAsync(string cell) => Assert.Single(await ReadAsync($"{Header}\n1,a,{cell}\n")).Urls;

    public static async Task<CsvError> OnlyErrorAsync(string csv, CsvLimits? limits = null)
    {
        var validation = await ValidateAsync(csv, limits);
        Assert.False(validation.IsValid);
        Assert.Equal(1, validation.ErrorCount);
        return Assert.Single(validation.Errors);
    }

    public static async Task<byte[]> WriteAsync(byte[] csv, Func<ProductRow, RowOutcome>? outcome = null, OutputCsvOptions? options = null)
    {
        var rows = await ReadAsync(csv);
        return await WriteAsync(csv, rows.Select(outcome ?? AllSucceeded).ToAsyncEnumerable(), options);
    }

    public static async Task<byte[]> WriteAsync(byte[] csv, IAsyncEnumerable<RowOutcome> outcomes, OutputCsvOptions? options = null)
    {
        var validation = await ValidateAsync(csv);
        Assert.True(validation.IsValid, string.Join('\n', validation.Errors));
        var output = new MemoryStream();
        var writer = new OutputCsvWriter(Options.Create(options ?? new OutputCsvOptions()));
        await writer.WriteAsync(new MemoryStream(csv), validation.Dialect, outcomes, output, CancellationToken.None);
        return output.ToArray();
    }

    public static async Task<string> WriteAsync(string csv, Func<ProductRow, RowOutcome>? outcome = null, OutputCsvOptions? options = null) =>
        Encoding.UTF8.GetString(await WriteAsync(Encoding.UTF8.GetBytes(csv), outcome, options));

    public static RowOutcome AllSucceeded(ProductRow row) =>
        new(row.Row, [.. row.Urls.Select((_, index) => ImageResult.Succeeded($"https://out.test/{row.Row}-{index + 1}.jpg"))]);

    /// <summary>Every record as our record reader sees it, including those with a stray quote, which only validation rejects.</summary>
    public static async Task<List<string[]>> RecordsAsync(byte[] csv, char delimiter = ',')
    {
        var text = new CsvText(new MemoryStream(csv), long.MaxValue, CancellationToken.None);
        await text.PeekAsync(64);
        using var reader = new CsvRecordReader(text, delimiter, new CsvLimits());
        var records = new List<string[]>();
        while (await reader.ReadAsync())
        {
            Assert.NotEqual(CsvErrorCodes.UnclosedQuote, reader.Defect?.Code);
            records.Add([.. Enumerable.Range(0, reader.Count).Select(cell => reader[cell])]);
        }
        Assert.Null(reader.Fatal);
        return records;
    }

    public static async IAsyncEnumerable<T> ToAsyncEnumerable<T>(this IEnumerable<T> source)
    {
        foreach (var item in source)
        {
            yield return item;
            await Task.CompletedTask;
        }
    }

    public static async Task<List<T>> ToListAsync<T>(this IAsyncEnumerable<T> source)
    {
        var list = new List<T>();
        await foreach (var item in source)
            list.Add(item);
        return list;
    }
}
