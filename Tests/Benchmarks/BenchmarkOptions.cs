using System.Globalization;

namespace Darkroom.Benchmarks;

/// <summary>
/// A benchmark's command line: positional arguments; <c>--workers n</c>, <c>--rounds n</c> and <c>--requests n</c>; and <c>--Section:Name=value</c> or
/// <c>--NAME=value</c>, which are passed to the services as environment variables.
/// </summary>
internal sealed class BenchmarkOptions
{
    private BenchmarkOptions(string[] arguments)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            var argument = arguments[i];
            if (argument == "--workers")
                Workers = ParseNumber(arguments[++i]);
            else if (argument == "--rounds")
                Rounds = ParseNumber(arguments[++i]);
            else if (argument == "--requests")
                Requests = ParseNumber(arguments[++i]);
            else if (argument.StartsWith("--", StringComparison.Ordinal) && argument.Split('=', 2) is [var name, var value])
                Settings.Add((name[2..].Replace(":", "__", StringComparison.Ordinal), value));
            else
                Arguments.Add(argument);
        }
    }

    public List<string> Arguments { get; } = [];

    public int Workers { get; } = 2;

    public int Rounds { get; } = 3;

    public int Requests { get; } = 1;

    public List<(string Name, string Value)> Settings { get; } = [];

    /// <summary>The value of a setting, by the name of its environment variable.</summary>
    public string? Setting(string name) => Settings.LastOrDefault(setting => setting.Name == name).Value;

    public static BenchmarkOptions Parse(string[] arguments) => new(arguments);

    public int Count(int defaultValue) => Arguments.Count > 0 ? ParseNumber(Arguments[0]) : defaultValue;

    private static int ParseNumber(string text) => int.Parse(text, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
}
