using System.Collections.Concurrent;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;
using Npgsql;

namespace Darkroom.Runs;

/// <summary>Compiles definition texts, once per process and text: an instance runs the text that it started with, whatever became of its version.</summary>
internal sealed class WorkflowCompiler(NpgsqlDataSource database, ActivityCatalog catalog)
{
    // Each edit that is tried leaves one behind; what is still needed is compiled again.
    private const int MaxCached = 256;

    private readonly ConcurrentDictionary<string, CompiledWorkflow> _compiled = new(StringComparer.Ordinal);

    /// <exception cref="WorkflowDefinitionException">The text cannot be run by this build.</exception>
    public async Task<CompiledWorkflow> GetAsync(DocumentHash hash, CancellationToken cancellationToken)
    {
        if (_compiled.TryGetValue(hash.Hex, out var known))
            return known;
        var text = (string?)await database.Sql("select document from workflow_documents where sha256 = @hash")
            .With("hash", hash.Bytes)
            .ExecuteScalarAsync(cancellationToken) ?? throw new InvalidOperationException($"The workflow text {hash.Hex} does not exist.");
        var compiled = CompiledWorkflow.Compile(WorkflowDocument.Parse(text), catalog);
        if (_compiled.Count >= MaxCached)
            _compiled.Clear();
        return _compiled.GetOrAdd(hash.Hex, compiled);
    }
}
