using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Retention;
using Darkroom.Storage;
using Darkroom.Tests.Webhooks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Tests.Faults;

/// <summary>
/// What must hold once all requests have ended, whatever faults were injected before: every row comes out once and in order, every recorded
/// object exists with its digest, the counters are the sums of the rows, there is one output CSV and one webhook per run, nothing is left
/// behind, and no owner sees another owner's texts. It reads Postgres and S3 directly, so faults between them and the product do not matter.
/// </summary>
internal sealed class Oracle(NpgsqlDataSource database, ObjectStore store)
{
    private readonly List<string> _violations = [];

    /// <summary>Sweeps, checks every request in the database, and fails with all violations found.</summary>
    /// <param name="received">Webhooks by receiver, in the order of arrival.</param>
    /// <param name="context">Printed on failure, such as the seed.</param>
    public async Task CheckAsync(IEnumerable<ReceivedWebhook> received, string context)
    {
        var violations = await FindViolationsAsync(received);
        Assert.True(violations.Count == 0, $"{context}{Environment.NewLine}{string.Join(Environment.NewLine, violations.Take(40))}");
    }

    /// <summary>Sweeps and checks every request in the database.</summary>
    public async Task<IReadOnlyList<string>> FindViolationsAsync(IEnumerable<ReceivedWebhook> received)
    {
        // The faults may have broken the test's own connections too.
        database.Clear();
        await SweepAsync();
        return await FindViolationsWithoutSweepAsync(received);
    }

    internal async Task<IReadOnlyList<string>> FindViolationsWithoutSweepAsync(IEnumerable<ReceivedWebhook> received)
    {
        _violations.Clear();
        var webhooks = received.ToList();
        foreach (var request in await ReadRequestsAsync())
        {
            var images = await ReadImagesAsync(request.Id);
            CheckStates(request, images);
            await CheckInstancesAsync(request);
            await CheckCountersAsync(request, images);
            var stored = await ListAsync(request.Id);
            await CheckObjectsAsync(request, images, stored);
            await CheckOutputAsync(request, images, stored);
            await CheckLeftoversAsync(request, images, stored);
            await CheckWebhooksAsync(request, webhooks);
        }

        await CheckOwnersAsync();
        return [.. _violations];
    }

    /// <summary>Deletes what no row refers to, as the sweeper does a day after a run.</summary>
    private async Task SweepAsync()
    {
        var sweeper = new ObjectSweeper(
            database, store, TimeProvider.System, Options.Create(new ObjectSweeperOptions { After = TimeSpan.Zero }), NullLogger<ObjectSweeper>.Instance);
        while (await sweeper.SweepAsync(CancellationToken.None) > 0)
        {
        }
    }

    private static void Expect(List<string> violations, bool holds, RequestRow request, string violation)
    {
        if (!holds)
            violations.Add($"{request.Id}: {violation}");
    }

    private void Expect(bool holds, RequestRow request, string violation) => Expect(_violations, holds, request, violation);

    private void CheckStates(RequestRow request, List<ImageRow> images)
    {
        Expect(request.Status is "completed" or "completed_with_errors" or "failed" or "cancelled", request, $"not ended but {request.Status}");
        if (!request.IsComplete)
            return;
        foreach (var image in images.Where(image => !image.HasEnded))
            Expect(false, request, $"image {image.Place} is {image.State} although the request has ended");
        Expect((request.Status == "completed") == images.All(image => image.Succeeded), request, $"{request.Status} does not match its images");
    }

    private async Task CheckInstancesAsync(RequestRow request)
    {
        var running = await ScalarAsync<long>("select count(*) from workflow_instances where request_id = @id and status <> 'Finished'", request.Id);
        Expect(running == 0, request, $"{running} workflow instances have not finished");
        var runs = await ScalarAsync<long>("select count(distinct run) from workflow_instances where request_id = @id", request.Id);
        Expect(runs == request.Run, request, $"{runs} instances for {request.Run} runs");
    }

    private async Task CheckCountersAsync(RequestRow request, List<ImageRow> images)
    {
        var rows = await ScalarAsync<long>("select count(*) from products where request_id = @id", request.Id);
        if (request.IsComplete || images.Count > 0)
        {
            Expect(rows == request.Products, request, $"{rows} products, counted {request.Products}");
            Expect(images.Count == request.Images, request, $"{images.Count} images, counted {request.Images}");
        }

        var (succeeded, failed) = (images.Where(image => image.Succeeded).ToList(), images.Count(image => image.State == "failed"));
        Expect(succeeded.Count == request.Succeeded, request, $"{succeeded.Count} images succeeded, counted {request.Succeeded}");
        Expect(failed == request.Failed, request, $"{failed} images failed, counted {request.Failed}");
        Expect(succeeded.Sum(image => image.OriginalBytes) == request.BytesIn, request, "bytes_in is not the sum of the images");
        Expect(succeeded.Sum(image => image.OutputBytes) == request.BytesOut, request, "bytes_out is not the sum of the images");
    }

    private async Task CheckObjectsAsync(RequestRow request, List<ImageRow> images, HashSet<string> stored)
    {
        foreach (var image in images.Where(image => image.Succeeded))
            await CheckObjectAsync(request, image, "output", image.OutputKey, image.OutputSha256, stored);
        foreach (var image in images.Where(image => image is { Succeeded: true, OriginalKey: not null }))
            await CheckObjectAsync(request, image, "original", image.OriginalKey, image.OriginalSha256, stored);
    }

    private async Task CheckObjectAsync(
        RequestRow request, ImageRow image, string kind, string? key, byte[]? sha256, HashSet<string> stored)
    {
        if (key is null || sha256 is null)
        {
            Expect(false, request, $"image {image.Place} succeeded without {kind} key and digest");
            return;
        }

        Expect(key.Contains(Convert.ToHexStringLower(sha256[..8]), StringComparison.Ordinal), request, $"{key} does not name its digest");
        if (!stored.Contains(key))
        {
            Expect(false, request, $"{kind} object {key} of image {image.Place} is missing");
            return;
        }

        await using var content = await store.OpenReadAsync(key, CancellationToken.None);
        Expect((await SHA256.HashDataAsync(content)).AsSpan().SequenceEqual(sha256), request, $"{key} has other bytes than recorded");
    }

    private async Task CheckOutputAsync(RequestRow request, List<ImageRow> images, HashSet<string> stored)
    {
        if (!request.IsComplete)
            return;
        Expect(request.OutputRun == request.Run, request, $"the output CSV is that of run {request.OutputRun}, not {request.Run}");
        if (request.OutputPath is null || !stored.Contains(request.OutputPath))
        {
            Expect(false, request, $"the output CSV {request.OutputPath} is missing");
            return;
        }

        var (input, output) = (Parse(await ReadTextAsync(request.CsvPath)), Parse(await ReadTextAsync(request.OutputPath)));
        Expect(output.Count == input.Count, request, $"{input.Count} records in, {output.Count} out");
        for (var record = 0; record < Math.Min(input.Count, output.Count); record++)
            Expect(input[record].SequenceEqual(output[record].SkipLast(2)), request, $"record {record} changed or moved");
        foreach (var (row, cells) in output.Skip(1).Index())
            CheckRow(request, row + 1, cells, [.. images.Where(image => image.Row == row + 1)]);
    }

    private void CheckRow(RequestRow request, int row, string[] cells, List<ImageRow> images)
    {
        var slots = OutputUrlList.Parse(cells[^2]);
        Expect(slots.Count == images.Count, request, $"row {row} has {images.Count} images and {slots.Count} slots");
        foreach (var (image, slot) in images.Zip(slots))
        {
            Expect(image.Succeeded == slot is not null, request, $"slot {image.Place} is {slot ?? "empty"}, but the image {image.State}");
            Expect(slot is null || slot.Contains($"/i/{image.Id}/", StringComparison.Ordinal), request, $"slot {image.Place} links another image");
        }

        var errors = string.Join("; ", images.Where(image => !image.Succeeded).Select(image => $"{image.Position}: {image.ErrorCode}"));
        Expect(cells[^1] == errors, request, $"row {row} reports '{cells[^1]}' instead of '{errors}'");
    }

    private async Task CheckLeftoversAsync(RequestRow request, List<ImageRow> images, HashSet<string> stored)
    {
        var referenced = images.SelectMany(image => new[] { image.OutputKey, image.OriginalKey })
            .Append(request.OutputPath).Append(request.CsvPath).OfType<string>().ToHashSet();
        foreach (var orphan in stored.Except(referenced))
            Expect(false, request, $"orphan object {orphan}");
        var claims = await ScalarAsync<long>(
            """
            select count(*)
            from workflow_instances i
            join bookmarks b on b.instance_id = i.id
            where i.request_id = @id
            """, request.Id);
        Expect(claims == 0, request, $"{claims} bookmarks are left");
    }

    private async Task CheckWebhooksAsync(RequestRow request, List<ReceivedWebhook> received)
    {
        var deliveries = new List<(string Id, int Run, string Url, string State)>();
        await using (var reader = await ReadAsync("select id, run, url, state from webhook_deliveries where request_id = @id", request.Id))
        {
            while (await reader.ReadAsync())
                deliveries.Add((reader.GetString(0), reader.GetInt32(1), reader.GetString(2), reader.GetString(3)));
        }

        var events = received.Select(webhook => (webhook.Id, Data: JsonDocument.Parse(webhook.Body).RootElement.GetProperty("data")))
            .Where(item => item.Data.GetProperty("request_id").GetGuid() == request.Id)
            .Select(item => (item.Id, Run: item.Data.GetProperty("run").GetInt32(), Status: item.Data.GetProperty("status").GetString()))
            .ToList();
        if (request.WebhookUrl is not null)
            for (var run = 1; run <= request.Run; run++)
                Expect(deliveries.Count(delivery => delivery.Run == run) == 1, request, $"run {run} has not exactly one webhook");
        foreach (var delivery in deliveries.Where(delivery => delivery.State == "delivered"))
            Expect(events.Any(item => item.Id == delivery.Id), request, $"webhook {delivery.Id} counts as delivered but did not arrive");
        foreach (var run in events.GroupBy(item => item.Run))
            Expect(run.Select(item => item.Id).Distinct().Count() == 1, request, $"run {run.Key} arrived under several webhook ids");
        foreach (var item in events)
        {
            Expect(deliveries.Any(delivery => delivery.Id == item.Id && delivery.Run == item.Run), request, $"webhook {item.Id} is unknown");
            Expect(item.Run < request.Run || item.Status == request.Status, request, $"a webhook says {item.Status}, the request {request.Status}");
        }
    }

    /// <summary>An owner's errors must not contain another owner's request ids, image URLs or names.</summary>
    private async Task CheckOwnersAsync()
    {
        await using var command = database.Sql(
            """
            with mine as (
              select r.owner_id, r.id, concat_ws(' ', i.error_code, i.error_message, i.journal::text) as text
              from csv_data_table r
              join images i on i.request_id = r.id
              where i.error_code is not null
              union
              select owner_id, id, concat_ws(' ', error_code, error_message)
              from csv_data_table
              union
              select d.owner_id, d.request_id, concat_ws(' ', d.last_error, a.error, a.response)
              from webhook_deliveries d
              left join webhook_attempts a on a.delivery_id = d.id
            ),
            foreign_text as (
              select r.owner_id, r.id::text as text
              from csv_data_table r
              union
              select r.owner_id, i.url
              from csv_data_table r
              join images i on i.request_id = r.id
              union
              select id, name
              from owners
              where length(name) > 4
            )
            select m.id, f.text
            from mine m
            join foreign_text f on f.owner_id <> m.owner_id and position(f.text in m.text) > 0
            where not exists (select from foreign_text own where own.owner_id = m.owner_id and own.text = f.text)
            limit 20
            """);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            _violations.Add($"{reader.GetGuid(0)}: an error contains another owner's text {reader.GetString(1)}");
    }

    private async Task<List<RequestRow>> ReadRequestsAsync()
    {
        await using var reader = await ReadAsync(
            """
            select id, status::text, no_of_products, no_of_images, images_succeeded, images_failed, bytes_in, bytes_out, run, output_run,
                   output_path, csv_path, webhook_url
            from csv_data_table
            order by created_at, id
            """);
        var requests = new List<RequestRow>();
        while (await reader.ReadAsync())
            requests.Add(new RequestRow(
                reader.GetGuid(0), reader.GetString(1), reader.GetInt32(2), reader.GetInt32(3), reader.GetInt32(4), reader.GetInt32(5),
                reader.GetInt64(6), reader.GetInt64(7), reader.GetInt32(8), reader.IsDBNull(9) ? null : reader.GetInt32(9),
                reader.IsDBNull(10) ? null : reader.GetString(10), reader.GetString(11), reader.IsDBNull(12) ? null : reader.GetString(12)));
        return requests;
    }

    private async Task<List<ImageRow>> ReadImagesAsync(Guid request)
    {
        await using var reader = await ReadAsync(
            """
            select id, row, position, state::text, error_code, original_key, original_sha256, coalesce(original_bytes, 0), output_key,
                   output_sha256, coalesce(output_bytes, 0)
            from images
            where request_id = @id
            order by row, position
            """, request);
        var images = new List<ImageRow>();
        while (await reader.ReadAsync())
            images.Add(new ImageRow(
                reader.GetInt64(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetString(3), Text(reader, 4), Text(reader, 5),
                reader.IsDBNull(6) ? null : reader.GetFieldValue<byte[]>(6), reader.GetInt64(7), Text(reader, 8),
                reader.IsDBNull(9) ? null : reader.GetFieldValue<byte[]>(9), reader.GetInt64(10)));
        return images;
    }

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private async Task<HashSet<string>> ListAsync(Guid request)
    {
        var keys = new HashSet<string>();
        await foreach (var found in store.ListAsync(ObjectKeys.Request(new RequestId(request)), CancellationToken.None))
            keys.Add(found.Key);
        return keys;
    }

    private async Task<string> ReadTextAsync(string key)
    {
        await using var content = await store.OpenReadAsync(key, CancellationToken.None);
        using var reader = new StreamReader(content, Encoding.UTF8);
        return await reader.ReadToEndAsync();
    }

    private static List<string[]> Parse(string csv)
    {
        using var parser = new CsvHelper.CsvParser(new StringReader(csv), CultureInfo.InvariantCulture);
        var records = new List<string[]>();
        while (parser.Read())
            records.Add(parser.Record!);
        return records;
    }

    private async Task<NpgsqlDataReader> ReadAsync(string sql, Guid? request = null)
    {
        var command = database.Sql(sql);
        if (request is { } id)
            command.With("id", id);
        return await command.ExecuteReaderAsync();
    }

    private async Task<T> ScalarAsync<T>(string sql, Guid request)
    {
        await using var command = database.Sql(sql).With("id", request);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private sealed record RequestRow(
        Guid Id, string Status, int Products, int Images, int Succeeded, int Failed, long BytesIn, long BytesOut, int Run, int? OutputRun,
        string? OutputPath, string CsvPath, string? WebhookUrl)
    {
        public bool IsComplete => Status is "completed" or "completed_with_errors";
    }

    private sealed record ImageRow(
        long Id, int Row, int Position, string State, string? ErrorCode, string? OriginalKey, byte[]? OriginalSha256, long OriginalBytes,
        string? OutputKey, byte[]? OutputSha256, long OutputBytes)
    {
        public bool Succeeded => State == "succeeded";
        public bool HasEnded => State is "succeeded" or "failed";
        public string Place => $"{Row}-{Position}";
    }
}
