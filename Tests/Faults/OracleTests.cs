using System.Text;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Webhooks;

namespace Darkroom.Tests.Faults;

/// <summary>A check that accepts everything would make every fault test pass, so each kind of violation must be reported.</summary>
public sealed class OracleTests(SharedSystem shared) : IClassFixture<SharedSystem>
{
    private DarkroomSystem System => shared.Product;

    [Fact]
    public async Task A_request_without_faults_has_no_violations()
    {
        var request = await EndedAsync();

        Assert.Equal("", await ViolationsAsync(request));
    }

    [Theory]
    [InlineData("update csv_data_table set status = 'processing', processing_percentage = 99, finished_at = null", "not ended but processing")]
    [InlineData("update csv_data_table set bytes_in = bytes_in + 1", "bytes_in is not the sum")]
    [InlineData("update csv_data_table set bytes_out = bytes_out + 1", "bytes_out is not the sum")]
    [InlineData("update csv_data_table set images_failed = 0", "1 images failed, counted 0")]
    [InlineData("update csv_data_table set images_succeeded = 1", "2 images succeeded, counted 1")]
    [InlineData("update csv_data_table set no_of_products = 3", "2 products, counted 3")]
    [InlineData("update csv_data_table set no_of_images = 4", "3 images, counted 4")]
    [InlineData("update csv_data_table set run = 2", "1 instances for 2 runs")]
    [InlineData("update csv_data_table set output_run = 7", "the output CSV is that of run 7")]
    [InlineData("update csv_data_table set output_path = 'requests/none.csv'", "the output CSV requests/none.csv is missing")]
    [InlineData("update csv_data_table set output_path = csv_path", "record 0 changed or moved")]
    [InlineData("update images set output_sha256 = sha256('other') where position = 1", "has other bytes than recorded")]
    [InlineData("update images set output_sha256 = sha256('other') where position = 1", "does not name its digest")]
    [InlineData("update images set output_key = output_key || 'x' where state = 'succeeded'", "of image 1-1 is missing")]
    [InlineData("update images set error_code = 'other' where state = 'failed'", "row 1 reports '2: not_found' instead of '2: other'")]
    [InlineData(
        "update images set state = 'failed', error_code = 'lost', output_key = null where row = 2", "but the image failed")]
    [InlineData("update images set state = 'waiting', finished_at = null where row = 2", "image 2-1 is waiting although the request has ended")]
    [InlineData("delete from images where row = 2", "2 images, counted 3")]
    [InlineData("update webhook_deliveries set run = 2", "run 1 has not exactly one webhook")]
    [InlineData("update webhook_deliveries set id = id || 'x'", "counts as delivered but did not arrive")]
    [InlineData("update webhook_deliveries set id = id || 'x'", "is unknown")]
    [InlineData("update workflow_instances set status = 'Running', sub_status = 'Executing'", "1 workflow instances have not finished")]
    public async Task A_changed_row_is_reported(string change, string violation)
    {
        var request = await EndedAsync();

        await BreakAsync(request, change);

        Assert.Contains(violation, await ViolationsAsync(request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_object_is_reported()
    {
        var request = await EndedAsync();
        await System.S3.CreateStore().DeleteAsync(await KeyAsync(request, "output_key"), default);

        Assert.Contains("output object requests/", await ViolationsAsync(request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_overwritten_object_is_reported()
    {
        var request = await EndedAsync();
        await System.S3.CreateStore().PutAsync(await KeyAsync(request, "original_key"), new byte[10], "image/jpeg", default);

        Assert.Contains("has other bytes than recorded", await ViolationsAsync(request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_with_a_doubled_row_is_reported()
    {
        var request = await EndedAsync();
        var output = await request.OutputAsync();
        await RewriteOutputAsync(request, output + output.Split('\n')[1] + "\n");

        Assert.Contains("3 records in, 4 out", await ViolationsAsync(request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_with_swapped_rows_is_reported()
    {
        var request = await EndedAsync();
        var lines = (await request.OutputAsync()).Split('\n');
        await RewriteOutputAsync(request, string.Join('\n', [lines[0], lines[2], lines[1], .. lines[3..]]));

        Assert.Contains("record 1 changed or moved", await ViolationsAsync(request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_that_links_another_image_is_reported()
    {
        var request = await EndedAsync();
        var links = (await request.OutputRowsAsync()).Select(row => row.Outputs[0]).ToList();
        await RewriteOutputAsync(request, (await request.OutputAsync()).Replace(links[0], links[1], StringComparison.Ordinal));

        Assert.Contains("slot 1-1 links another image", await ViolationsAsync(request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_object_that_the_sweep_leaves_behind_is_reported()
    {
        var request = await EndedAsync();
        await System.S3.CreateStore().PutAsync($"requests/{request.Id}/images/1-1-stray.txt", new byte[10], "text/plain", default);
        await System.S3.CreateStore().PutAsync($"requests/{request.Id}/strange.jpg", new byte[10], "image/jpeg", default);

        var violations = await ViolationsAsync(request);

        Assert.Contains($"orphan object requests/{request.Id}/strange.jpg", violations, StringComparison.Ordinal);
        Assert.DoesNotContain("1-1-stray", violations, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_announced_under_two_ids_is_reported()
    {
        var request = await EndedAsync();
        var first = System.Webhooks.All.Single(webhook => Encoding.UTF8.GetString(webhook.Body).Contains(request.Id, StringComparison.Ordinal));
        var second = first with { Headers = new Dictionary<string, string>(first.Headers, StringComparer.OrdinalIgnoreCase) { ["webhook-id"] = "msg_other" } };

        Assert.Contains("under several webhook ids", await ViolationsAsync(request, second), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhook_that_contradicts_the_request_is_reported()
    {
        var request = await EndedAsync();
        var first = System.Webhooks.All.Single(webhook => Encoding.UTF8.GetString(webhook.Body).Contains(request.Id, StringComparison.Ordinal));
        var body = Encoding.UTF8.GetString(first.Body).Replace("completed_with_errors", "cancelled", StringComparison.Ordinal);

        Assert.Contains(
            "a webhook says cancelled", await ViolationsAsync(request, first with { Body = Encoding.UTF8.GetBytes(body) }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_with_another_owners_text_is_reported()
    {
        using var other = await System.ClientOfAsync("another owner");
        var theirs = await other.UploadAsync(ProductCsv.Of([System.Images.Good(77)]));
        await theirs.EndAsync();
        var request = await EndedAsync();
        await BreakAsync(request, $"update images set error_message = 'not found: {System.Images.Good(77)}' where state = 'failed'");

        Assert.Contains("an error contains another owner's text", await ViolationsAsync(request), StringComparison.Ordinal);
    }

    /// <summary>Two products: one image that succeeds and one that fails, then one that succeeds.</summary>
    private async Task<SubmittedRequest> EndedAsync()
    {
        var request = await System.Client.UploadAsync(
            ProductCsv.Of([System.Images.Good(1), System.Images.Missing(1)], [System.Images.Good(2)]), System.Webhooks.Url);
        await request.EndAsync();
        await Eventually.TrueAsync(async () => await System.Database.DataSource
            .Sql("select state = 'delivered' from webhook_deliveries where request_id = @id").With("id", Guid.Parse(request.Id)).ExecuteScalarAsync() is true);
        return request;
    }

    /// <summary>Runs the change on this request's rows only, without constraints: the oracle must not depend on them.</summary>
    private async Task BreakAsync(SubmittedRequest request, string change)
    {
        await using var connection = await System.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.Sql(
            """
            do $$
            declare constraint_name text; table_name regclass;
            begin
              for constraint_name, table_name in
                select conname, conrelid::regclass
                from pg_constraint
                where (contype = 'c' or conrelid = 'webhook_attempts'::regclass)
                  and connamespace = 'public'::regnamespace
              loop
                execute format('alter table %s drop constraint %I', table_name, constraint_name);
              end loop;
            end
            $$
            """).ExecuteNonQueryAsync();
        var key = change.Contains("csv_data_table", StringComparison.Ordinal) ? "id" : "request_id";
        var where = change.Contains(" where ", StringComparison.Ordinal) ? "and" : "where";
        await connection.Sql($"{change} {where} {key} = @id").With("id", Guid.Parse(request.Id)).ExecuteNonQueryAsync();
        await transaction.CommitAsync();
    }

    private async Task<string> ViolationsAsync(SubmittedRequest request, params ReceivedWebhook[] more)
    {
        var violations = await new Oracle(System.Database.DataSource, System.S3.CreateStore()).FindViolationsAsync([.. System.Webhooks.All, .. more]);
        // Other tests of this class have left broken requests behind.
        return string.Join(Environment.NewLine, violations.Where(violation => violation.StartsWith(request.Id, StringComparison.Ordinal)));
    }

    private async Task<string> KeyAsync(SubmittedRequest request, string column) =>
        (string)(await System.Database.DataSource.Sql($"select {column} from images where request_id = @id and row = 1 and position = 1")
            .With("id", Guid.Parse(request.Id))
            .ExecuteScalarAsync())!;

    private async Task RewriteOutputAsync(SubmittedRequest request, string csv)
    {
        var path = (string)(await System.Database.DataSource.Sql("select output_path from csv_data_table where id = @id")
            .With("id", Guid.Parse(request.Id))
            .ExecuteScalarAsync())!;
        await System.S3.CreateStore().PutAsync(path, Encoding.UTF8.GetBytes(csv), "text/csv", default);
    }
}
