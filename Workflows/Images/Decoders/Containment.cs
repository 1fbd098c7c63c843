namespace Darkroom.Images.Decoders;

/// <summary>What confines a decoder beyond being a process of its own without secrets in its environment.</summary>
/// <param name="Limits">The kernel limits its memory and CPU time.</param>
/// <param name="Files">It can open only what it is loaded from, for reading, and cannot inspect other processes.</param>
/// <param name="SystemCalls">It cannot open sockets, start programs or touch other processes.</param>
public sealed record Containment(bool Limits, bool Files, bool SystemCalls)
{
    public static Containment None { get; } = new(false, false, false);

    public bool IsComplete => this is { Limits: true, Files: true, SystemCalls: true };

    /// <summary>What is missing, in words; empty if nothing is.</summary>
    public string Missing => string.Join(", ", Gaps());

    private IEnumerable<string> Gaps()
    {
        if (!Limits)
            yield return "limits of memory and CPU time";
        if (!Files)
            yield return "limited access to files";
        if (!SystemCalls)
            yield return "a filter of system calls";
    }
}
