namespace Darkroom.Queue;

/// <summary>
/// The different ways that a batch's images went, numbered: images of one body mostly go the same few, so what is sent for
/// the counts is a number an image and each way once.
/// </summary>
internal sealed class ImagePaths
{
    private readonly Dictionary<Path, int> _paths = [];

    public int? NumberOf(ImageOutcome outcome)
    {
        if (outcome.Trace is not { } trace) return null;
        var path = new Path(trace.Passed, trace.Stopped, outcome is ImageOutcome.RetryAt);
        if (_paths.TryGetValue(path, out var number)) return number;
        return _paths[path] = _paths.Count;
    }

    public int[] Numbers() => [.. Steps().Select(step => step.Number)];

    public string[] Nodes() => [.. Steps().Select(step => OutcomeText.Clean(step.Node))];

    public string[] Ends() => [.. Steps().Select(step => step.End)];

    private IEnumerable<(int Number, string Node, string End)> Steps()
    {
        foreach (var (path, number) in _paths)
        {
            // The image comes back and passes them again: only where it stopped is worth a count.
            if (!path.ComesBack)
                foreach (var node in path.Passed) yield return (number, node, "completed");
            if (path.Stopped is { } stopped) yield return (number, stopped, path.ComesBack ? "retried" : "faulted");
        }
    }

    private readonly record struct Path(IReadOnlyList<string> Passed, string? Stopped, bool ComesBack)
    {
        public bool Equals(Path other) =>
            ComesBack == other.ComesBack
            && string.Equals(Stopped, other.Stopped, StringComparison.Ordinal)
            && Passed.SequenceEqual(other.Passed, StringComparer.Ordinal);

        public override int GetHashCode() => HashCode.Combine(Passed.Count, Stopped, ComesBack);
    }
}
