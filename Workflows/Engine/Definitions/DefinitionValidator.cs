using Darkroom.Engine.Flow;
using Microsoft.Extensions.Options;

namespace Darkroom.Engine.Definitions;

/// <summary>Checks whether a definition can be published or tried, and reports every problem.</summary>
public sealed class DefinitionValidator(ActivityCatalog catalog, IOptions<EngineOptions> options)
{
    /// <summary>What prevents publishing, each in a sentence that names activity and input; empty if it may be published.</summary>
    public IReadOnlyList<string> Validate(WorkflowDocument document) => Validate(document, publishing: true);

    /// <inheritdoc cref="Validate(WorkflowDocument)"/>
    public IReadOnlyList<string> Validate(string text) => Validate(text, publishing: true);

    /// <summary>What prevents it from running. An incomplete workflow may still be tried.</summary>
    public IReadOnlyList<string> ValidateTrial(string text) => Validate(text, publishing: false);

    private IReadOnlyList<string> Validate(string text, bool publishing)
    {
        try
        {
            return Validate(WorkflowDocument.Parse(text), publishing);
        }
        catch (WorkflowDefinitionException e)
        {
            // Unreadable, so there is nothing more to check.
            return e.Messages;
        }
    }

    private IReadOnlyList<string> Validate(WorkflowDocument document, bool publishing)
    {
        var errors = new ValidationErrors();
        // Checking every path is quadratic in the number of activities.
        if (document.Root.Count > options.Value.MaxActivities)
            errors.Add($"A workflow may have {options.Value.MaxActivities:N0} activities; this one has {document.Root.Count:N0}.");
        else
            CompiledWorkflow.Check(document, catalog, errors, publishing);
        return errors.Messages;
    }
}
