using System.Collections.Concurrent;

namespace Darkroom.Engine;

/// <summary>Compiles each definition version once a process.</summary>
internal sealed class WorkflowCompiler(WorkflowDefinitionStore definitions, ActivityCatalog catalog)
{
    private readonly ConcurrentDictionary<string, CompiledWorkflow> _compiled = new(StringComparer.Ordinal);

    /// <exception cref="WorkflowDefinitionException">The version cannot be run by this build.</exception>
    public async Task<CompiledWorkflow> GetAsync(string versionId, CancellationToken cancellation)
    {
        if (_compiled.TryGetValue(versionId, out var known)) return known;
        var definition = await definitions.GetVersionAsync(versionId, cancellation);
        return _compiled.GetOrAdd(versionId, CompiledWorkflow.Compile(definition.Document, catalog));
    }
}
