using System.Diagnostics;
using Darkroom.Benchmarks.Product;
using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Requests;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Benchmarks.Csv;

/// <summary>
/// Rows per second validated, and read and loaded into Postgres as <c>ValidateCsv</c> does it, compared with a raw COPY of the same
/// rows into tables with the same indexes and into tables without indexes. <c>load [rows] [--rounds n]</c>
/// </summary>
internal static class LoadBenchmark
{
    private static readonly (string Table, string Columns)[] Tables =
        [("products", "request_id, row, serial, name"), ("images", "request_id, row, position, url")];

    public static async Task RunAsync(int rows, int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("darkroom-bench-");
        try
        {
            var path = Path.Combine(folder.FullName, "input.csv");
            await using (var file = File.Create(path))
                await new SampleCsv(rows, "https://cdn.example.com/images/").CopyToAsync(file);
            await using var database = await BenchmarkDatabase.StartAsync();
            for (var round = 1; round <= rounds; round++)
                await MeasureAsync(database.Source, path, rows, round);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(NpgsqlDataSource database, string path, int rows, int round)
    {
        var load = Report.LoadAverage();
        CsvValidationResult validation = null!;
        var validated = await SecondsAsync(async () => validation = await ValidateAsync(path));
        var read = await SecondsAsync(() => ReadAsync(path, validation.Dialect!));
        var loaded = await SecondsAsync(() => LoadAsync(database, path, validation.Dialect!));
        var (indexed, bare) = await CopyAsync(database);
        await database.Sql("truncate products, images").ExecuteNonQueryAsync();
        Report.Write(new
        {
            benchmark = "load",
            round,
            rows,
            loadBefore = load,
            judgedRowsPerSecond = Math.Round(rows / validated),
            readRowsPerSecond = Math.Round(rows / read),
            loadedRowsPerSecond = Math.Round(rows / loaded),
            rawCopyRowsPerSecond = Math.Round(rows / indexed),
            rawCopyWithoutIndexesRowsPerSecond = Math.Round(rows / bare),
            loadedOverRawCopy = Report.Rounded(indexed / loaded),
            loadedOverRawCopyWithoutIndexes = Report.Rounded(bare / loaded),
        });
    }

    private static async Task<CsvValidationResult> ValidateAsync(string path)
    {
        await using var file = File.OpenRead(path);
        return await new CsvValidator(Options.Create(new CsvLimits())).ValidateAsync(file, CancellationToken.None);
    }

    private static async Task ReadAsync(string path, CsvDialect dialect)
    {
        await using var file = File.OpenRead(path);
        await foreach (var _ in ProductReader.ReadAsync(file, dialect, CancellationToken.None))
        {
        }
    }

    private static async Task LoadAsync(NpgsqlDataSource database, string path, CsvDialect dialect)
    {
        await using var file = File.OpenRead(path);
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        using var loader = new ProductLoader();
        await loader.LoadAsync(connection, new RequestId(Guid.NewGuid()), ProductReader.ReadAsync(file, dialect, CancellationToken.None), CancellationToken.None);
        await transaction.CommitAsync();
    }

    /// <summary>Exports the rows in COPY's binary format, then measures only how long importing them takes.</summary>
    private static async Task<(double Indexed, double Bare)> CopyAsync(NpgsqlDataSource database)
    {
        await using var connection = await database.OpenConnectionAsync();
        var copies = new List<(string Table, string Columns, byte[] Rows)>();
        foreach (var (table, columns) in Tables)
        {
            using var rows = new MemoryStream();
            await using var source = await connection.BeginRawBinaryCopyAsync($"copy {table} ({columns}) to stdout (format binary)");
            await source.CopyToAsync(rows);
            copies.Add((table, columns, rows.ToArray()));
        }

        var indexed = await CopyIntoAsync(connection, copies, "including all");
        var bare = await CopyIntoAsync(connection, copies, "including defaults including identity");
        return (indexed, bare);
    }

    private static async Task<double> CopyIntoAsync(
        NpgsqlConnection connection, IEnumerable<(string Table, string Columns, byte[] Rows)> copies, string likeOptions)
    {
        foreach (var (table, _) in Tables)
            await connection.Sql($"drop table if exists raw_{table}; create table raw_{table} (like {table} {likeOptions})").ExecuteNonQueryAsync();
        var seconds = await SecondsAsync(async () =>
        {
            await using var transaction = await connection.BeginTransactionAsync();
            foreach (var (table, columns, rows) in copies)
            {
                await using var target = await connection.BeginRawBinaryCopyAsync($"copy raw_{table} ({columns}) from stdin (format binary)");
                await target.WriteAsync(rows);
            }

            await transaction.CommitAsync();
        });
        await connection.Sql("drop table raw_products, raw_images").ExecuteNonQueryAsync();
        return seconds;
    }

    private static async Task<double> SecondsAsync(Func<Task> run)
    {
        var watch = Stopwatch.StartNew();
        await run();
        return watch.Elapsed.TotalSeconds;
    }
}
