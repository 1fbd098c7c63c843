using System.Net;
using Darkroom.Tests.Infrastructure;
using NetVips;

namespace Darkroom.Tests.EndToEnd;

public sealed class PipelineTests : IAsyncLifetime
{
    private DarkroomSystem _system = null!;

    public async Task InitializeAsync() => _system = await DarkroomSystem.StartAsync();

    public async Task DisposeAsync() => await _system.DisposeAsync();

    [Fact]
    public async Task A_csv_comes_back_with_compressed_images_that_open_without_a_key_header()
    {
        var images = _system.Images;
        var csv = ProductCsv.Of([images.Good(1), images.Good(2)], [images.Rgba(3)], [images.Good(1)]);

        var request = await _system.Client.UploadAsync(csv);
        var end = await request.EndAsync();

        Assert.Equal("completed", end.GetProperty("status").GetString());
        Assert.Equal(100, end.GetProperty("processing_percentage").GetInt32());
        Assert.Equal(4, end.GetProperty("images").GetProperty("succeeded").GetInt32());
        var rows = await request.OutputRowsAsync();
        Assert.Equal(["1.", "2.", "3."], rows.Select(row => row.Serial));
        Assert.All(rows, row => Assert.Equal(row.Inputs.Length, row.Outputs.Length));
        Assert.All(rows, row => Assert.Empty(row.Errors));

        using var anonymous = new HttpClient();
        foreach (var (input, output) in rows.SelectMany(row => row.Inputs.Zip(row.Outputs)))
        {
            var original = await anonymous.GetByteArrayAsync(input);
            var result = await anonymous.GetByteArrayAsync(output);
            Assert.True(result.Length < original.Length, $"{input}: {original.Length} became {result.Length}.");
            using var before = Image.NewFromBuffer(original);
            using var after = Image.NewFromBuffer(result);
            Assert.Equal((before.Width, before.Height, before.HasAlpha()), (after.Width, after.Height, after.HasAlpha()));
        }
    }

    [Fact]
    public async Task A_failed_image_leaves_its_slot_empty_and_shifts_no_other()
    {
        var images = _system.Images;
        var csv = ProductCsv.Of(
            [images.Good(1), images.Missing(2), images.Good(3)],
            [images.Broken(4), images.Good(5)],
            [images.Missing(6)],
            [images.Flaky(7)]);

        var request = await _system.Client.UploadAsync(csv);
        var end = await request.EndAsync();

        Assert.Equal("completed_with_errors", end.GetProperty("status").GetString());
        Assert.Equal(100, end.GetProperty("processing_percentage").GetInt32());
        Assert.Equal(3, end.GetProperty("images").GetProperty("failed").GetInt32());
        var rows = await request.OutputRowsAsync();
        Assert.Equal([false, true, false], rows[0].Outputs.Select(url => url.Length == 0));
        Assert.Equal([true, false], rows[1].Outputs.Select(url => url.Length == 0));
        Assert.Equal([true], rows[2].Outputs.Select(url => url.Length == 0));
        Assert.Equal([false], rows[3].Outputs.Select(url => url.Length == 0));
        Assert.Equal("2: not_found", rows[0].Errors);
        Assert.StartsWith("1: ", rows[1].Errors, StringComparison.Ordinal);
        Assert.Equal("1: not_found", rows[2].Errors);
        Assert.Empty(rows[3].Errors);
    }

    [Fact]
    public async Task Requests_with_the_same_rows_and_positions_never_share_objects()
    {
        var first = await _system.Client.UploadAsync(ProductCsv.Of([_system.Images.Good(1)], [_system.Images.Good(2)]));
        var second = await _system.Client.UploadAsync(ProductCsv.Of([_system.Images.Good(3)], [_system.Images.Good(4)]));
        var outputs = new List<string>();
        foreach (var request in new[] { first, second })
        {
            await request.EndAsync();
            outputs.AddRange((await request.OutputRowsAsync()).SelectMany(row => row.Outputs));
        }

        using var anonymous = new HttpClient();
        var bytes = await Task.WhenAll(outputs.Select(url => anonymous.GetByteArrayAsync(url)));
        Assert.Equal(4, bytes.Select(Convert.ToBase64String).Distinct().Count());
    }

    [Fact]
    public async Task Cancelling_ends_the_request_now_and_late_outcomes_change_nothing()
    {
        var images = _system.Images;
        images.CloseGate();
        var request = await _system.Client.UploadAsync(ProductCsv.Of([images.Good(1), images.Gated(2), images.Gated(3)]));
        await request.ReachAsync(1);

        Assert.Equal(HttpStatusCode.OK, await request.CancelAsync());
        images.OpenGate();
        Assert.Equal(HttpStatusCode.OK, await request.CancelAsync());

        var other = await _system.Client.UploadAsync(ProductCsv.Of([images.Good(4)]));
        await other.EndAsync();
        var status = await request.StatusAsync();
        Assert.Equal("cancelled", status.GetProperty("status").GetString());
        Assert.Equal(1, status.GetProperty("images").GetProperty("succeeded").GetInt32());
        Assert.Equal(HttpStatusCode.Conflict, await request.OutputStatusAsync());
    }

    [Fact]
    public async Task A_retry_runs_only_what_failed_and_serves_the_earlier_csv_until_then()
    {
        var images = _system.Images;
        var csv = ProductCsv.Of([images.Good(1), images.Missing(2)]);
        var request = await _system.Client.UploadAsync(csv);
        await request.EndAsync();
        var before = await request.OutputAsync();

        await request.RetryAsync();
        var end = await request.EndAsync();

        Assert.Equal(2, end.GetProperty("run").GetInt32());
        Assert.Equal("completed_with_errors", end.GetProperty("status").GetString());
        Assert.Equal(1, images.Requests["/good/1.jpg"]);
        Assert.Equal(2, images.Requests["/missing/2.jpg"]);
        Assert.Equal(before, await request.OutputAsync());
    }
}
