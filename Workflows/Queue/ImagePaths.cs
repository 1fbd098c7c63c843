using Darkroom.Data;
using Darkroom.Engine.Bodies;

namespace Darkroom.Queue;

/// <summary>
/// The distinct paths that a batch's images took through the body, numbered. Most images take one of a few paths, so the database gets
/// one number per image, and each path once.
/// </summary>
internal sealed class ImagePaths
{
    private const string Completed = "completed";
    private const string Faulted = "faulted";
    private const string Retried = "retried";

    private readonly Dictionary<Path, int> _paths = [];

    public int? NumberOf(ImageOutcome outcome)
    {
        if (outcome.Trace is not { } trace)
            return null;
        var path = new Path(trace.Passed, trace.Stopped, EndOf(outcome));
        if (_paths.TryGetValue(path, out var number))
            return number;
        return _paths[path] = _paths.Count;
    }

    public int[] Numbers() => [.. Steps().Select(step => step.Number)];

    public string[] Nodes() => [.. Steps().Select(step => PostgresText.Clean(step.Node))];

    public string[] Ends() => [.. Steps().Select(step => step.End)];

    private IEnumerable<(int Number, string Node, string End)> Steps()
    {
        foreach (var (path, number) in _paths)
        {
            if (path.Body() is { } body)
                yield return (number, body, path.End);
            // A retried image will run the same activities again, so only the one where it stopped is counted.
            if (path.End != Retried)
                foreach (var node in path.Passed)
                    yield return (number, node, Completed);
            if (path.Stopped is { } stopped)
                yield return (number, stopped, path.End);
        }
    }

    private static string EndOf(ImageOutcome outcome) => outcome switch
    {
        ImageOutcome.Succeeded => Completed,
        ImageOutcome.RetryAt => Retried,
        _ => Faulted,
    };

    private readonly record struct Path(IReadOnlyList<string> Passed, string? Stopped, string End)
    {
        /// <summary>The flowchart that contains the first step: a node id is its parent's node id, a colon and its own id.</summary>
        public string? Body() =>
            (Passed.Count > 0 ? Passed[0] : Stopped) is { } first && first.LastIndexOf(':') is > 0 and var end ? first[..end] : null;

        public bool Equals(Path other) =>
            End == other.End
            && string.Equals(Stopped, other.Stopped, StringComparison.Ordinal)
            && Passed.SequenceEqual(other.Passed, StringComparer.Ordinal);

        public override int GetHashCode() => HashCode.Combine(Passed.Count, Stopped, End);
    }
}
