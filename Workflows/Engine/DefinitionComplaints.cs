namespace Darkroom.Engine;

/// <summary>
/// Everything that keeps a definition from being run, in words for the person who edits it. Checking goes on after a complaint, so
/// that all of them are told at once.
/// </summary>
internal sealed class DefinitionComplaints
{
    private readonly List<string> _messages = [];

    public IReadOnlyList<string> Messages => _messages;

    public void Add(string message)
    {
        // One mistake may be met on several ways.
        if (!_messages.Contains(message)) _messages.Add(message);
    }

    public void Add(ActivityNode node, string message) => Add($"{node.Label}: {message}");

    /// <exception cref="WorkflowDefinitionException">There is a complaint.</exception>
    public void ThrowIfAny()
    {
        if (_messages.Count > 0) throw new WorkflowDefinitionException(_messages);
    }
}
