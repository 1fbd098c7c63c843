using System.Text.Json;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;
using Microsoft.Extensions.Logging;

namespace Darkroom.Runs;

/// <summary>Brings the definitions that ship with the product into the database, once: whatever people made of them since stays.</summary>
public sealed partial class DefinitionSeeder(
    WorkflowDefinitionStore definitions, ActivityCatalog catalog, ILogger<DefinitionSeeder> logger)
{
    private const string Prefix = "Darkroom.Definitions.";

    public async Task SeedAsync(CancellationToken cancellationToken)
    {
        foreach (var document in Shipped())
        {
            CompiledWorkflow.Compile(document, catalog);
            var definition = Read(document);
            if (await definitions.SeedAsync(definition, cancellationToken)) LogSeeded(definition.DefinitionId);
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

    private static WorkflowDefinition Read(string document)
    {
        using var json = JsonDocument.Parse(document);
        var definition = json.RootElement;
        return new WorkflowDefinition(
            definition.GetProperty("id").GetString()!,
            definition.GetProperty("definitionId").GetString()!,
            definition.GetProperty("version").GetInt32(),
            definition.GetProperty("name").GetString()!,
            document);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Seeded workflow definition {Definition}")]
    private partial void LogSeeded(string definition);
}
