using System.Diagnostics;
using System.Globalization;
using System.Text;
using Darkroom.Csv;
using Microsoft.Extensions.Options;

namespace Darkroom.Benchmarks.Csv;

/// <summary>Rows per second validated, read and written, and bytes allocated per row. <c>csv [rows]</c></summary>
internal static class CsvBenchmark
{
    private const int Rounds = 3;

    public static async Task RunAsync(int rows)
    {
        var csv = Sample(rows);
        var validator = new CsvValidator(Options.Create(new CsvLimits()));
        var writer = new OutputCsvWriter(Options.Create(new OutputCsvOptions()));
        var dialect = (await validator.ValidateAsync(new MemoryStream(csv), default)).Dialect!;

        // The first round includes JIT compilation; read the last one.
        for (var round = 0; round < Rounds; round++)
        {
            await MeasureAsync("validate", rows, csv.Length, () => validator.ValidateAsync(new MemoryStream(csv), default));
            await MeasureAsync("read", rows, csv.Length, async () =>
            {
                await foreach (var _ in ProductReader.ReadAsync(new MemoryStream(csv), dialect, default))
                {
                }
            });
            await MeasureAsync("write", rows, csv.Length, () => writer.WriteAsync(new MemoryStream(csv), dialect, Outcomes(rows), Stream.Null, default));
        }
    }

    private static async Task MeasureAsync(string operation, int rows, int bytes, Func<Task> run)
    {
        var allocated = GC.GetTotalAllocatedBytes();
        var watch = Stopwatch.StartNew();
        await run();
        var seconds = watch.Elapsed.TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{operation,-8} {rows / seconds,12:N0} rows/s {bytes / seconds / 1e6,8:N1} MB/s {(GC.GetTotalAllocatedBytes() - allocated) / (double)rows,6:N0} bytes allocated per row"));
    }

    private static byte[] Sample(int rows)
    {
        var text = new StringBuilder("S. No.,Product Name,Input Image Urls\n");
        for (var row = 1; row <= rows; row++)
            text.Append(CultureInfo.InvariantCulture, $"{row}.,Product {row},https://cdn.example.com/images/{row}.jpg\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static async IAsyncEnumerable<RowOutcome> Outcomes(int rows)
    {
        for (var row = 1; row <= rows; row++)
            yield return new RowOutcome(row, [ImageResult.Succeeded($"https://images.example.com/{row}.jpg")]);
        await Task.CompletedTask;
    }
}
