using System.Runtime.CompilerServices;
using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Activities;

/// <summary>
/// Merges the input CSV and the outcomes into the output CSV, in constant memory. Each attempt writes its own object; the commit that
/// publishes its key decides which one is the output.
/// </summary>
internal sealed class WriteOutputCsv(
    NpgsqlDataSource database, ObjectStore objects, OutputCsvWriter writer, ImageLinks images, IOptions<LinkOptions> links) : WorkflowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.WriteOutputCsv",
        Place = ActivityPlace.Workflow,
        Category = "Requests",
        DisplayName = "Write output CSV",
        Description = "Writes the output CSV: the input plus the result URLs and the errors of each row.",
        Outputs =
        [
            new OutputDescriptor("Url", typeof(string), "URL of the output CSV, which requires an API key."),
            new OutputDescriptor("Key", typeof(string), "Key of the output CSV in the bucket."),
        ],
        After = ValidateCsv.Required,
        WithoutIt = "so that every request would fail",
    };

    public override async Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken)
    {
        var csv = await RequestCsv.ReadAsync(database, context.RequestId, cancellationToken);
        var key = ObjectKeys.Output(context.RequestId, context.Run, context.Fence);
        await using var input = await objects.OpenReadAsync(csv.Key, cancellationToken);
        await using var upload = objects.BeginUpload(key, "text/csv");
        await writer.WriteAsync(input, csv.Dialect, ReadOutcomesAsync(context.RequestId, cancellationToken), upload.AsStream(), cancellationToken);
        await upload.CompleteAsync(cancellationToken);

        return new ActivityResult.Completed
        {
            Outputs = new Dictionary<string, object?> { ["Url"] = $"{links.Value.Request(context.RequestId)}/output.csv", ["Key"] = key },
            Effect = (connection, token) => RequestUpdates.PublishOutputAsync(connection, context.RequestId, context.Run, key, token),
        };
    }

    private async IAsyncEnumerable<RowOutcome> ReadOutcomesAsync(
        RequestId request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select id, row, output_key, error_code
                from images
                where request_id = @request
                order by row, position
                """)
            .With("request", request.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var row = 0;
        var outcomes = new List<ImageResult>();
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.GetInt32(1) != row)
            {
                if (outcomes.Count > 0)
                    yield return new RowOutcome(row, outcomes);
                row = reader.GetInt32(1);
                outcomes = [];
            }

            outcomes.Add(reader.IsDBNull(2)
                ? ImageResult.Failed(reader.IsDBNull(3) ? "not_processed" : reader.GetString(3))
                : ImageResult.Succeeded(images.For(new ImageId(reader.GetInt64(0)), reader.GetString(2))));
        }

        if (outcomes.Count > 0)
            yield return new RowOutcome(row, outcomes);
    }
}
