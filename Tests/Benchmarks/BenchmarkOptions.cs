using System.Globalization;

namespace Darkroom.Benchmarks;

/// <summary>
/// A benchmark's command line: what stands alone is its arguments in order; <c>--workers n</c>, <c>--rounds n</c>; and
/// <c>--Section:Name=value</c> or <c>--NAME=value</c> for the environment of the product.
/// </summary>
internal sealed class BenchmarkOptions
{
    private BenchmarkOptions(string[] arguments)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            var argument = arguments[i];
            if (argument == "--workers") Workers = Number(arguments[++i]);
            else if (argument == "--rounds") Rounds = Number(arguments[++i]);
            else if (argument.StartsWith("--", StringComparison.Ordinal) && argument.Split('=', 2) is [var name, var value])
                Settings.Add((name[2..].Replace(":", "__", StringComparison.Ordinal), value));
            else Arguments.Add(argument);
        }
    }

    public List<string> Arguments { get; } = [];

    public int Workers { get; } = 2;

    public int Rounds { get; } = 3;

    public List<(string Name, string Value)> Settings { get; } = [];

    public static BenchmarkOptions Parse(string[] arguments) => new(arguments);

    public int Count(int standard) => Arguments.Count > 0 ? Number(Arguments[0]) : standard;

    private static int Number(string text) => int.Parse(text, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
}
