namespace Darkroom.AppHost.Local.Processes;

/// <summary>A program to run as our child.</summary>
internal sealed record LaunchRequest(string File, IReadOnlyList<string> Arguments)
{
    public required string WorkingDirectory { get; init; }

    /// <summary>The whole environment of the child; null: ours.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>On Unix, when we are root: the user that it runs as.</summary>
    public string? User { get; init; }

    /// <summary>What the kernel (Linux) or the warden (elsewhere on Unix) sends it when we die without a word.</summary>
    public int SignalOnParentDeath { get; init; } = Signals.Kill;

    /// <summary>Receives each line of output. Called from any thread.</summary>
    public required Action<string> Output { get; init; }
}
