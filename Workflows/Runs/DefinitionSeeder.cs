using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;
using Microsoft.Extensions.Logging;

namespace Darkroom.Runs;

/// <summary>Inserts the definitions that ship with the product, once: later edits are never overwritten.</summary>
public sealed partial class DefinitionSeeder(
    DefinitionStore definitions, ActivityCatalog catalog, ILogger<DefinitionSeeder> logger)
{
    private const string Prefix = "Darkroom.Definitions.";

    public async Task SeedAsync(CancellationToken cancellationToken)
    {
        foreach (var text in Shipped())
        {
            var document = WorkflowDocument.Parse(text);
            CompiledWorkflow.Compile(document, catalog);
            var (id, definitionId, version) = ((string)document.Json["id"]!, (string)document.Json["definitionId"]!, (int)document.Json["version"]!);
            if (await definitions.SeedAsync(id, definitionId, version, document, cancellationToken))
                LogSeeded(definitionId);
        }
    }

    internal static IEnumerable<string> Shipped()
    {
        var assembly = typeof(DefinitionSeeder).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            yield return reader.ReadToEnd();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Seeded workflow definition {Definition}")]
    private partial void LogSeeded(string definition);
}
