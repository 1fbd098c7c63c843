namespace Darkroom.Engine;

/// <summary>A definition that cannot be run; the message is meant for the person who edits it.</summary>
public sealed class WorkflowDefinitionException : Exception
{
    public WorkflowDefinitionException(string message)
        : base(message)
    {
    }

    public WorkflowDefinitionException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
