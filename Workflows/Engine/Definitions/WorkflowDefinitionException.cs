namespace Darkroom.Engine.Definitions;

/// <summary>A definition that cannot be run; the messages are meant for the person who edits it.</summary>
public sealed class WorkflowDefinitionException : Exception
{
    public WorkflowDefinitionException(string message)
        : base(message) => Messages = [message];

    public WorkflowDefinitionException(string message, Exception inner)
        : base(message, inner) => Messages = [message];

    public WorkflowDefinitionException(IReadOnlyList<string> messages)
        : base(string.Join(" ", messages)) => Messages = messages;

    /// <summary>Each thing that is wrong.</summary>
    public IReadOnlyList<string> Messages { get; }
}
