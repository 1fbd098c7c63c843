namespace Darkroom.AppHost.Local.Run;

/// <summary>The console that all children share: each line behind the name of who said it.</summary>
internal sealed class ConsoleLines
{
    private const int NameWidth = 9;

    private static readonly string[] Colors = ["36", "33", "35", "32", "34", "31"];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _colorOf = [];

    /// <summary>A terminal, whose owner has not asked for plain text.</summary>
    public bool HasColor { get; } = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Where one resource's lines go.</summary>
    public Action<string> For(string name) => line => Write(name, line);

    public void Write(string name, string line)
    {
        lock (_gate)
        {
            var label = name.PadRight(NameWidth);
            Console.Out.WriteLine(HasColor ? $"\e[{ColorOf(name)}m{label}\e[0m {line}" : $"{label} {line}");
        }
    }

    /// <summary>A text of several lines that nothing comes between.</summary>
    public void WriteBlock(IEnumerable<string> lines)
    {
        lock (_gate)
        {
            foreach (var line in lines) Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }

    public string Bold(string text) => HasColor ? $"\e[1m{text}\e[0m" : text;

    private string ColorOf(string name)
    {
        if (!_colorOf.TryGetValue(name, out var color)) _colorOf[name] = color = Colors[_colorOf.Count % Colors.Length];
        return color;
    }
}
