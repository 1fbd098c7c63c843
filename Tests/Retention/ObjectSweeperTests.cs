using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Retention;
using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Darkroom.Tests.Retention;

public sealed class ObjectSweeperTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private TestS3 _s3 = null!;
    private ObjectStore _objects = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _s3 = await TestS3.StartAsync();
        _objects = _s3.CreateStore();
    }

    public async Task DisposeAsync()
    {
        await _s3.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Unreferenced_objects_are_deleted_and_everything_else_stays()
    {
        var request = await EndedRequestAsync("2 days");
        string[] named = [ObjectKeys.Input(request), Output(request, 3), Original(request, 1, 'a'), Image(request, 1, 'b'), Original(request, 2, 'c')];
        string[] foreign = [$"{ObjectKeys.Request(request)}notes.txt", $"{ObjectKeys.Images(request)}readme-1.txt"];
        await PutAsync([.. named, .. foreign, Output(request, 2), Original(request, 1, 'd'), Image(request, 1, 'e'), Image(request, 2, 'b'), Image(request, 9, 'b')]);
        var unfinished = await _objects.InitiateAsync(Output(request, 4), "text/csv", default);

        Assert.Equal(1, await Sweeper().SweepAsync(default));

        Assert.Equal(named.Concat(foreign).Order(StringComparer.Ordinal).ToArray(), await KeysAsync(request));
        await Assert.ThrowsAsync<ObjectNotFoundException>(() => _objects.PutPartAsync(Output(request, 4), unfinished, 1, new byte[1], default));
    }

    [Fact]
    public async Task A_run_is_swept_once_and_not_before_it_is_due()
    {
        var early = await EndedRequestAsync("23 hours");
        var request = await EndedRequestAsync("25 hours");
        await PutAsync([Output(early, 2)]);

        Assert.Equal(1, await Sweeper().SweepAsync(default));
        await PutAsync([Output(request, 2)]);
        Assert.Equal(0, await Sweeper().SweepAsync(default));

        Assert.Equal(Output(early, 2), Assert.Single(await KeysAsync(early)));
        Assert.Equal(Output(request, 2), Assert.Single(await KeysAsync(request)));
    }

    [Fact]
    public async Task The_end_of_a_later_run_makes_a_request_due_again()
    {
        var request = await EndedRequestAsync("25 hours");
        await _database.DataSource.Sql("update csv_data_table set swept_at = now() - interval '5 days'").ExecuteNonQueryAsync();
        await PutAsync([Output(request, 2)]);

        Assert.Equal(1, await Sweeper().SweepAsync(default));

        Assert.Empty(await KeysAsync(request));
    }

    [Fact]
    public async Task A_request_that_is_retried_while_it_is_listed_keeps_everything()
    {
        var request = await EndedRequestAsync("2 days");
        await PutAsync([Image(request, 2, 'e')]);
        _s3.BeforeRequest = async context =>
        {
            if (!context.Request.Query.ContainsKey("list-type"))
                return;
            await _database.DataSource.Sql("update csv_data_table set status = 'processing', processing_percentage = 50, finished_at = null, run = 2")
                .ExecuteNonQueryAsync();
        };

        Assert.Equal(0, await Sweeper().SweepAsync(default));

        _s3.BeforeRequest = null;
        Assert.Equal(Image(request, 2, 'e'), Assert.Single(await KeysAsync(request)));
    }

    [Fact]
    public async Task Two_processes_do_not_sweep_at_once()
    {
        await EndedRequestAsync("2 days");
        int? other = null;
        _s3.BeforeRequest = async _ => other ??= await Sweeper().SweepAsync(default);

        Assert.Equal(1, await Sweeper().SweepAsync(default));

        Assert.Equal(0, other);
    }

    [Fact]
    public async Task A_request_that_cannot_be_swept_does_not_block_the_others()
    {
        var stuck = await EndedRequestAsync("3 days");
        var request = await EndedRequestAsync("2 days");
        await PutAsync([Output(stuck, 2), Output(request, 2)]);
        _s3.BeforeRequest = context => context.Request.QueryString.Value!.Contains(stuck.ToString(), StringComparison.Ordinal)
            ? TestS3.RefuseAsync(context, 403, "AccessDenied")
            : Task.CompletedTask;

        Assert.Equal(1, await Sweeper().SweepAsync(default));

        _s3.BeforeRequest = null;
        Assert.Equal(Output(stuck, 2), Assert.Single(await KeysAsync(stuck)));
        Assert.Empty(await KeysAsync(request));
    }

    private ObjectSweeper Sweeper() => new(
        _database.DataSource, _objects, TimeProvider.System, Options.Create(new ObjectSweeperOptions()), NullLogger<ObjectSweeper>.Instance);

    /// <summary>Two images: the first succeeded with original a and output b, the second failed with original c. Output CSV of fence 3.</summary>
    private async Task<RequestId> EndedRequestAsync(string age)
    {
        var request = (await new RequestBuilder(_database.DataSource).WithImages(2).BuildAsync()).Id;
        await _database.DataSource.Sql(
                """
                update images
                set state = (case row when 1 then 'succeeded' else 'failed' end)::image_state,
                    original_key = case row when 1 then @original1 else @original2 end,
                    output_key = case row when 1 then @output end,
                    output_bytes = 1,
                    output_sha256 = '\x01',
                    revision = 2,
                    error_code = case row when 2 then 'not_found' end,
                    finished_at = now()
                where request_id = @request;

                update csv_data_table
                set status = 'completed_with_errors',
                    images_succeeded = 1,
                    images_failed = 1,
                    processing_percentage = 100,
                    fan_out_open = false,
                    output_path = @csv,
                    output_run = 1,
                    finished_at = now() - @age::interval
                where id = @request
                """)
            .With("request", request.Value)
            .With("original1", Original(request, 1, 'a'))
            .With("original2", Original(request, 2, 'c'))
            .With("output", Image(request, 1, 'b'))
            .With("csv", Output(request, 3))
            .With("age", age)
            .ExecuteNonQueryAsync();
        return request;
    }

    private async Task PutAsync(IEnumerable<string> keys)
    {
        foreach (var key in keys)
            await _objects.PutAsync(key, new byte[] { 1 }, "image/jpeg", default);
    }

    private async Task<string[]> KeysAsync(RequestId request)
    {
        var keys = new List<string>();
        await foreach (var found in _objects.ListAsync(ObjectKeys.Request(request), default))
            keys.Add(found.Key);
        return [.. keys];
    }

    private static string Original(RequestId request, int row, char hash) => ObjectKeys.Original(request, 1, row, 1, Hash(hash), "jpg");

    private static string Image(RequestId request, int row, char hash) => ObjectKeys.Image(request, 1, row, 1, Hash(hash), "jpg");

    private static string Output(RequestId request, int fence) => ObjectKeys.Output(request, 1, fence);

    private static byte[] Hash(char letter) => [.. Enumerable.Repeat((byte)letter, 32)];
}
