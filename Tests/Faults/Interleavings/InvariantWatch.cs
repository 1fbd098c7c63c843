using Darkroom.Data;
using Npgsql;

namespace Darkroom.Tests.Faults.Interleavings;

/// <summary>
/// Compares each committed state of a request with the one before: counters are the sums of rows; a terminal image keeps its state within a
/// run; fences and revisions never go back; whatever an owner sees changes only together with the revision.
/// </summary>
internal sealed class InvariantWatch(NpgsqlDataSource database, Guid request)
{
    private readonly Dictionary<long, Image> _images = [];
    private Request? _request;

    public async Task CheckAsync()
    {
        // One statement, so one snapshot.
        await using var command = database.Sql(
                """
                select r.status::text, r.run, r.revision, r.images_succeeded, r.images_failed, r.processing_percentage, r.fan_out_open,
                       i.id, i.state::text, i.run, i.fence, i.owner, coalesce(i.output_key, ''), i.revision,
                       (select count(*) from resumptions s join workflow_instances w on w.id = s.instance_id where w.request_id = r.id and w.run = r.run)
                from csv_data_table r
                join images i on i.request_id = r.id
                where r.id = @request
                """)
            .With("request", request);
        await using var reader = await command.ExecuteReaderAsync();
        var images = new List<Image>();
        Request? now = null;
        while (await reader.ReadAsync())
        {
            now = new Request(
                reader.GetString(0), reader.GetInt32(1), reader.GetInt64(2), reader.GetInt32(3), reader.GetInt32(4), reader.GetInt32(5),
                reader.GetBoolean(6), reader.GetInt64(14));
            images.Add(new Image(
                reader.GetInt64(7), reader.GetString(8), reader.GetInt32(9), reader.GetInt64(10), reader.IsDBNull(11) ? null : reader.GetGuid(11),
                reader.GetString(12), reader.GetInt64(13)));
        }

        Check(now!, images);
    }

    private void Check(Request now, List<Image> images)
    {
        var (succeeded, failed) = (images.Count(image => image.State == "succeeded"), images.Count(image => image.State == "failed"));
        Assert.True((now.Succeeded, now.Failed) == (succeeded, failed), $"{now}, but {succeeded} images succeeded and {failed} failed");
        if (now is { FanOutOpen: false, Resumptions: > 0, Status: "processing" })
            Assert.True(succeeded + failed == images.Count, "Resumed before the last image had ended");
        Assert.True(now.Status != "processing" || !now.FanOutOpen || succeeded + failed < images.Count, "All images have ended, but the fan-out is open");
        foreach (var image in images)
            Check(now, image);
        if (_request is { } before)
        {
            Assert.True(now.Revision >= before.Revision, $"The revision went from {before.Revision} to {now.Revision}");
            Assert.True(now.Run >= before.Run, $"The run went from {before.Run} to {now.Run}");
            var isSame = (now.Status, now.Run, now.Succeeded, now.Failed, now.Percentage)
                == (before.Status, before.Run, before.Succeeded, before.Failed, before.Percentage);
            Assert.True(isSame || now.Revision > before.Revision, $"{before} became {now} under the same revision");
            Assert.True(now.Run > before.Run || now.Percentage >= before.Percentage, $"The percentage fell from {before.Percentage} to {now.Percentage}");
        }

        _request = now;
    }

    private void Check(Request request, Image now)
    {
        Assert.True(now.State != "running" || now.Owner is not null, $"{now} runs without an owner");
        Assert.True(now.Revision <= request.Revision, $"{now} is newer than its request");
        if (_images.TryGetValue(now.Id, out var before))
        {
            Assert.True(now.Fence >= before.Fence, $"The fence of image {now.Id} went from {before.Fence} to {now.Fence}");
            Assert.True(
                now.Owner is null || before.Owner is null || now.Owner == before.Owner || now.Fence > before.Fence,
                $"Image {now.Id} changed its owner under the same fence");
            var isTerminal = before.State == "succeeded" || (before.State == "failed" && request.Run == before.Run);
            Assert.True(!isTerminal || (now.State, now.OutputKey) == (before.State, before.OutputKey), $"{before} became {now}");
        }

        _images[now.Id] = now;
    }

    private sealed record Request(
        string Status, int Run, long Revision, int Succeeded, int Failed, int Percentage, bool FanOutOpen, long Resumptions);

    private sealed record Image(long Id, string State, int Run, long Fence, Guid? Owner, string OutputKey, long Revision);
}
