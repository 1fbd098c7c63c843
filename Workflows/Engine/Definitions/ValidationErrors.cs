namespace Darkroom.Engine.Definitions;

/// <summary>
/// Everything that keeps a definition from being run, in words for the person who edits it. Checking goes on after an error, so
/// that all of them are told at once.
/// </summary>
internal sealed class ValidationErrors
{
    // Nobody reads more, and a definition may be wrong in as many ways as it has pairs of activities.
    private const int Most = 100;

    private readonly List<string> _messages = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Messages => _messages;

    public void Add(string message)
    {
        // One mistake may be met on several paths.
        if (_messages.Count == Most || !_known.Add(message)) return;
        _messages.Add(_messages.Count < Most - 1 ? message : "There is more that is wrong; this is enough for now.");
    }

    public void Add(ActivityNode node, string message) => Add($"{node.Label}: {message}");

    /// <exception cref="WorkflowDefinitionException">There is an error.</exception>
    public void ThrowIfAny()
    {
        if (_messages.Count > 0) throw new WorkflowDefinitionException(_messages);
    }
}

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
