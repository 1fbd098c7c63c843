namespace Darkroom.AppHost.Local.Processes;

/// <summary>Passes lines on and remembers the last of them, for the error message.</summary>
internal sealed class LastLines(Action<string> next)
{
    private const int Kept = 30;

    private readonly Queue<string> _lines = new();

    public void Add(string line)
    {
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > Kept) _lines.Dequeue();
        }

        next(line);
    }

    public override string ToString()
    {
        lock (_lines) return string.Join(Environment.NewLine, _lines);
    }
}
