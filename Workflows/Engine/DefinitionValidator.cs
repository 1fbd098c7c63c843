namespace Darkroom.Engine;

/// <summary>Says whether a definition could be published, and if not, everything that is in the way. The rules are those of compiling it.</summary>
public sealed class DefinitionValidator(ActivityCatalog catalog)
{
    /// <summary>What is wrong with the definition, each in a sentence that names activity and input; empty if it can be run.</summary>
    public IReadOnlyList<string> Validate(string json)
    {
        var complaints = new DefinitionComplaints();
        try
        {
            CompiledWorkflow.Check(json, catalog, complaints);
        }
        catch (WorkflowDefinitionException e)
        {
            // Not even readable: there is nothing further to look at.
            foreach (var message in e.Messages) complaints.Add(message);
        }

        return complaints.Messages;
    }
}
