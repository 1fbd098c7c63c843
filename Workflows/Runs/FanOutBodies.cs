using System.Collections.Concurrent;
using Darkroom.Bookmarks;
using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Darkroom.Engine.Flow;
using Npgsql;

namespace Darkroom.Runs;

/// <summary>The body that the images of a request's run go through, ready to run. Looked up once per run and process.</summary>
internal sealed class FanOutBodies(NpgsqlDataSource database, WorkflowCompiler compiler)
{
    // A worker has images of few requests in hand at once; forgetting all of them costs one look-up each.
    private const int Remembered = 256;

    private readonly ConcurrentDictionary<(RequestId, int), FanOutBody> _bodies = new();

    /// <summary>Null if the run no longer waits for its images: it was cancelled, or its last outcome is recorded already.</summary>
    public async Task<FanOutBody?> FindAsync(RequestId request, int run, CancellationToken cancellationToken)
    {
        if (_bodies.TryGetValue((request, run), out var known)) return known;
        if (await ReadBookmarkAsync(request, run, cancellationToken) is not var (document, bookmark)) return null;

        var workflow = await compiler.GetAsync(document, cancellationToken);
        var scope = new ExpressionScope
        {
            Variables = bookmark.Variables,
            Inputs = bookmark.Inputs,
            Outputs = bookmark.Outputs,
            FindActivity = workflow.FindActivity,
        };
        var body = new FanOutBody(workflow.Body(bookmark.ActivityId).Bind(scope), bookmark.MaxAttempts);
        if (_bodies.Count >= Remembered) _bodies.Clear();
        return _bodies.GetOrAdd((request, run), body);
    }

    private async Task<(DocumentHash Document, FanOutBookmark Bookmark)?> ReadBookmarkAsync(RequestId request, int run, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select i.document_sha256, b.payload
                from workflow_instances i
                join bookmarks b on b.instance_id = i.id
                where i.request_id = @request
                  and i.run = @run
                  and b.name = @type
                """)
            .With("request", request.Value)
            .With("run", run)
            .With("type", FanOutBookmark.Name);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        return (new DocumentHash(reader.GetFieldValue<byte[]>(0)), FanOutBookmark.FromJson(reader.GetString(1)));
    }
}

/// <summary>A fan-out's body and how often it may be started for one image.</summary>
internal sealed record FanOutBody(BoundImageBody Body, int MaxAttempts);
