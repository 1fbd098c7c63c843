using System.Text.Json;
using Darkroom.Bookmarks;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Queue;
using Darkroom.Runs;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Activities;

/// <summary>
/// Releases the request's images to the workers and waits for the last one. The bookmark is created in the same transaction that
/// releases the images, so the last outcome cannot arrive before there is a bookmark to resume.
/// </summary>
internal sealed class FanOutImages(NpgsqlDataSource database, ImageFeeder feeder, IOptions<QueueOptions> queue) : WorkflowActivity, IDescribedActivity
{
    public const string Type = FanOutBookmark.Name;
    internal const string MaxAttempts = nameof(MaxAttempts);

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = Type,
        Place = ActivityPlace.Workflow,
        Category = "Requests",
        DisplayName = "Fan out images",
        Description = "Runs its body once for every image, in parallel on all workers, and continues when the last one has succeeded or failed.",
        Inputs =
        [
            InputDescriptor.Number(MaxAttempts, 3, 1, 20, "How many times to run the body for an image if its failures look temporary, such as a busy server."),
        ],
        Outputs =
        [
            new OutputDescriptor("Images", typeof(int), "Images in the request."),
            new OutputDescriptor("Succeeded", typeof(int), "Images with a result, including earlier runs."),
            new OutputDescriptor("Failed", typeof(int), "Images without a result."),
        ],
        BodyPort = "Body",
        OncePerPath = true,
        After = ValidateCsv.Required,
        CreatesBookmark = true,
    };

    public override bool CommitsWithNext => true;

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken)
    {
        var bookmark = new FanOutBookmark(context.ActivityId, context.Variables, context.Inputs.Get<int>(MaxAttempts))
        {
            Inputs = context.WorkflowInputs,
            Outputs = context.Outputs,
        };
        IReadOnlyList<ImageOffer> offers = [];
        return Task.FromResult<ActivityResult>(
            new ActivityResult.Suspended(bookmark.ToJson())
            {
                Effect = async (connection, token) => offers = await OpenAsync(connection, context, token),
                AfterCommit = () => feeder.PushAsync(offers),
            });
    }

    /// <summary>By now every image has finished, so the counters no longer change in this run.</summary>
    public override async Task<ActivityResult> ResumeAsync(WorkflowActivityContext context, string input, CancellationToken cancellationToken)
    {
        await using var command = database.Sql("select no_of_images, images_succeeded, images_failed from csv_data_table where id = @request")
            .With("request", context.RequestId.Value);
        await using var counters = await command.ExecuteReaderAsync(cancellationToken);
        await counters.ReadAsync(cancellationToken);
        return new ActivityResult.Completed
        {
            Outputs = new Dictionary<string, object?>
            {
                ["Images"] = counters.GetInt32(0),
                ["Succeeded"] = counters.GetInt32(1),
                ["Failed"] = counters.GetInt32(2),
            },
        };
    }

    private async Task<IReadOnlyList<ImageOffer>> OpenAsync(
        NpgsqlConnection connection, WorkflowActivityContext context, CancellationToken cancellationToken)
    {
        var opened = await FanOut.OpenAsync(connection, context.RequestId, context.Run, queue.Value.OfferedAtLeast, cancellationToken);
        if (opened.Pending > 0)
            return opened.Offers;

        // No outcome will arrive to resume the bookmark, so resume it here.
        await connection.Sql(
                """
                insert into resumptions (bookmark_id, instance_id, input)
                select b.id, b.instance_id, '{}'
                from bookmarks b
                join workflow_instances i on i.id = b.instance_id
                where i.request_id = @request
                  and i.run = @run
                  and b.activity_id = @activity
                """)
            .With("request", context.RequestId.Value)
            .With("run", context.Run)
            .With("activity", context.ActivityId)
            .ExecuteNonQueryAsync(cancellationToken);
        return [];
    }
}
