using System.Collections.Concurrent;
using Darkroom.Bookmarks;
using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Darkroom.Engine.Flow;
using Npgsql;

namespace Darkroom.Runs;

/// <summary>The compiled body for the images of a request's run. Looked up once per run and process.</summary>
internal sealed class FanOutBodies(NpgsqlDataSource database, WorkflowCompiler compiler)
{
    // A worker processes images of few requests at once; clearing the cache costs one look-up each.
    private const int MaxCached = 256;

    private readonly ConcurrentDictionary<(RequestId, int), FanOutBody> _bodies = new();

    /// <summary>Null if the run no longer waits for its images: it was cancelled, or its last outcome is already recorded.</summary>
    public async Task<FanOutBody?> FindAsync(RequestId request, int run, CancellationToken cancellationToken)
    {
        if (_bodies.TryGetValue((request, run), out var known))
            return known;
        if (await ReadBookmarkAsync(request, run, cancellationToken) is not var (document, bookmark, traceParent, images))
            return null;

        var workflow = await compiler.GetAsync(document, cancellationToken);
        var scope = new ExpressionScope
        {
            Variables = bookmark.Variables,
            Inputs = bookmark.Inputs,
            Outputs = bookmark.Outputs,
            FindActivity = workflow.FindActivity,
        };
        var body = new FanOutBody(workflow.Body(bookmark.ActivityId).Bind(scope), bookmark.MaxAttempts, traceParent, images);
        if (_bodies.Count >= MaxCached)
            _bodies.Clear();
        return _bodies.GetOrAdd((request, run), body);
    }

    private async Task<(DocumentHash Document, FanOutBookmark Bookmark, string? TraceParent, int Images)?> ReadBookmarkAsync(
        RequestId request, int run, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select i.document_sha256, b.payload, i.traceparent, r.no_of_images
                from workflow_instances i
                join csv_data_table r on r.id = i.request_id
                join bookmarks b on b.instance_id = i.id
                where i.request_id = @request
                  and i.run = @run
                  and b.name = @type
                """)
            .With("request", request.Value)
            .With("run", run)
            .With("type", FanOutBookmark.Name);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return (
            new DocumentHash(reader.GetFieldValue<byte[]>(0)), FanOutBookmark.FromJson(reader.GetString(1)),
            reader.TextOrNull(2), reader.GetInt32(3));
    }
}

/// <summary>A fan-out's body and what its images share.</summary>
/// <param name="Body">The body.</param>
/// <param name="MaxAttempts">How many times it may be started for one image.</param>
/// <param name="TraceParent">Trace context of the run, or null.</param>
/// <param name="Images">Images of the request.</param>
internal sealed record FanOutBody(BoundImageBody Body, int MaxAttempts, string? TraceParent, int Images);
