using Darkroom.Engine.Flow;
using Microsoft.Extensions.Options;

namespace Darkroom.Engine.Definitions;

/// <summary>Says whether a definition could be published or tried, and if not, everything that is in the way.</summary>
public sealed class DefinitionValidator(ActivityCatalog catalog, IOptions<EngineOptions> options)
{
    /// <summary>What keeps the definition from serving requests, each in a sentence that names activity and input; empty if it may be published.</summary>
    public IReadOnlyList<string> Validate(string json) => Check(json, purpose: true);

    /// <summary>What keeps it from being run at all. Half a workflow may be tried.</summary>
    public IReadOnlyList<string> ValidateTrial(string json) => Check(json, purpose: false);

    private List<string> Check(string json, bool purpose)
    {
        var errors = new ValidationErrors();
        try
        {
            var document = WorkflowDocument.Parse(json);
            // Whoever looks at every way through a flowchart takes the square of its size.
            if (document.Root.Count > options.Value.MaxActivities)
                errors.Add($"A workflow may have {options.Value.MaxActivities:N0} activities; this one has {document.Root.Count:N0}.");
            else CompiledWorkflow.Check(document, catalog, errors, purpose);
        }
        catch (WorkflowDefinitionException e)
        {
            // Not even readable: there is nothing further to look at.
            foreach (var message in e.Messages) errors.Add(message);
        }

        return [.. errors.Messages];
    }
}
