namespace Darkroom.Engine.Definitions;

/// <summary>
/// Everything that prevents a definition from running, in words for the person who edits it. Checking continues after an error, so
/// that all errors are reported at once.
/// </summary>
internal sealed class ValidationErrors
{
    // Nobody reads more, and a definition can have an error for every pair of activities.
    private const int MaxMessages = 100;

    private readonly List<string> _messages = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Messages => _messages;

    public void Add(string message)
    {
        // The same mistake can be found on several paths.
        if (_messages.Count == MaxMessages || !_known.Add(message))
            return;
        _messages.Add(_messages.Count < MaxMessages - 1 ? message : "There is more wrong; only the first problems are listed.");
    }

    public void Add(ActivityNode node, string message) => Add($"{node.Label}: {message}");

    /// <exception cref="WorkflowDefinitionException">There is an error.</exception>
    public void ThrowIfAny()
    {
        if (_messages.Count > 0)
            throw new WorkflowDefinitionException(_messages);
    }
}

/// <summary>A definition that cannot run; the messages are written for the person who edits it.</summary>
public sealed class WorkflowDefinitionException : Exception
{
    public WorkflowDefinitionException(string message)
        : base(message) => Messages = [message];

    public WorkflowDefinitionException(string message, Exception inner)
        : base(message, inner) => Messages = [message];

    public WorkflowDefinitionException(IReadOnlyList<string> messages)
        : base(string.Join(" ", messages)) => Messages = messages;

    /// <summary>One message per problem.</summary>
    public IReadOnlyList<string> Messages { get; }
}
