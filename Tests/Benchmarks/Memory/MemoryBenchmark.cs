using System.Diagnostics;
using System.Globalization;
using Darkroom.Benchmarks.Csv;
using Darkroom.Benchmarks.Product;
using Darkroom.Data;
using Npgsql;

namespace Darkroom.Benchmarks.Memory;

/// <summary>
/// Peak memory of API and workers by size of the CSV, from upload to webhook. <c>memory [rows...] [--workers n]</c>
/// </summary>
/// <remarks>
/// Upload, validation, load, fan-out and output CSV always run for real. So that a million rows finish in reasonable time, all images
/// except a sample are marked as done by one SQL statement, and only the sample is fetched (from a server that responds with 404).
/// Each line of output says how many images were marked.
/// </remarks>
internal static class MemoryBenchmark
{
    private const int Sample = 2_000;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        int[] sizes = options.Arguments.Count > 0
            ? [.. options.Arguments.Select(text => int.Parse(text, CultureInfo.InvariantCulture))]
            : [1_000, 100_000, 1_000_000];
        var photos = Path.Combine(AppHost.Hosting.Repository.Root, "AppHost", "Samples");
        foreach (var rows in sizes)
        {
            // A new host for each size: heap left over from one must not count towards the next.
            await using var server = await PhotoServer.StartAsync(photos);
            await using var inbox = await WebhookInbox.StartAsync();
            await using var product = await ProductHost.StartAsync(options);
            await WarmUpAsync(product, inbox, server);
            await MeasureAsync(product, inbox, server, rows);
        }
    }

    private static async Task WarmUpAsync(ProductHost product, WebhookInbox inbox, ChildServer server)
    {
        await product.UploadAsync(new SampleCsv(50, server.Url + "/none/"), inbox);
        await inbox.NextAsync(TimeSpan.FromMinutes(2));
    }

    private static async Task MeasureAsync(ProductHost product, WebhookInbox inbox, ChildServer server, int rows)
    {
        var load = Report.LoadAverage();
        product.Meter.ResetPeaks();
        var idle = product.Meter.Peaks();
        var watch = Stopwatch.StartNew();
        var request = await product.UploadAsync(new SampleCsv(rows, server.Url + "/none/"), inbox);
        var uploaded = product.Meter.Peaks();

        await using var database = NpgsqlDataSource.Create(product.Run.ConnectionStrings["darkroom"]);
        await WaitForFanOutAsync(database, request.Id);
        var validated = product.Meter.Peaks();
        var loadedAfter = watch.Elapsed;
        var marked = rows > Sample ? await MarkAsync(database, request.Id) : 0;

        await inbox.NextAsync(TimeSpan.FromMinutes(30));
        var status = await product.StatusAsync(request.Id);
        Report.Write(new
        {
            benchmark = "memory",
            rows,
            loadBefore = load,
            status = status.GetProperty("status").GetString(),
            imagesMarkedInTheDatabase = marked,
            secondsToAccept = Report.Rounded(request.Accepted.TotalSeconds),
            secondsToLoad = Report.Rounded((loadedAfter - request.Accepted).TotalSeconds),
            seconds = Report.Rounded(watch.Elapsed.TotalSeconds),
            outputBytes = await OutputBytesAsync(product, request.Id),
            megabytesIdle = idle,
            peakAfterUpload = uploaded,
            peakAfterLoad = validated,
            peakAtEnd = product.Meter.Peaks(),
        });
    }

    private static async Task WaitForFanOutAsync(NpgsqlDataSource database, Guid request)
    {
        while (true)
        {
            await using var command = database.Sql("select fan_out_open or status not in ('created', 'processing') from csv_data_table where id = @id").With("id", request);
            if ((bool)(await command.ExecuteScalarAsync())!)
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>
    /// Records an outcome for all images except the last ones of the file, under the same lock that the recorder takes. The remaining
    /// images are processed for real, and the last of them resumes the workflow.
    /// </summary>
    private static async Task<int> MarkAsync(NpgsqlDataSource database, Guid request)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.Sql("select 1 from csv_data_table where id = @id for no key update").With("id", request).ExecuteNonQueryAsync();
        await using var mark = connection.Sql(
                """
                with marked as (
                  update images i
                  set state = 'succeeded',
                      owner = null,
                      revision = r.revision + 1,
                      output_key = 'requests/' || i.request_id || '/images/' || i.row || '-' || i.position || '-0123456789abcdef.jpg',
                      output_type = 'image/jpeg',
                      output_bytes = 1000,
                      output_sha256 = '\x01',
                      original_bytes = 2000,
                      finished_at = now()
                  from csv_data_table r
                  where r.id = @id
                    and i.request_id = r.id
                    and i.row <= r.no_of_products - @sample
                    and i.state in ('waiting', 'offered', 'running')
                  returning 1
                ),
                counted as (
                  select count(*)::int as marked
                  from marked
                )
                update csv_data_table r
                set images_succeeded = r.images_succeeded + c.marked,
                    bytes_in = r.bytes_in + c.marked * 2000::bigint,
                    bytes_out = r.bytes_out + c.marked * 1000::bigint,
                    revision = r.revision + 1
                from counted c
                where r.id = @id
                returning c.marked
                """)
            .With("id", request)
            .With("sample", Sample);
        mark.CommandTimeout = 1_800;
        var marked = (int)(await mark.ExecuteScalarAsync())!;
        await transaction.CommitAsync();
        return marked;
    }

    private static async Task<long> OutputBytesAsync(ProductHost product, Guid request)
    {
        await using var output = await product.Client.GetStreamAsync($"/v1/requests/{request}/output.csv");
        var buffer = new byte[1 << 20];
        long bytes = 0;
        while (await output.ReadAsync(buffer) is > 0 and var read)
            bytes += read;
        return bytes;
    }
}
