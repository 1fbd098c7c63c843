using System.Globalization;
using System.Text.Json;

namespace Darkroom.Benchmarks;

/// <summary>Prints one line of JSON per measurement, so that scripts can compare runs.</summary>
internal static class Report
{
    public static void Write(object measurement) => Console.WriteLine(JsonSerializer.Serialize(measurement, JsonSerializerOptions.Web));

    /// <summary>The machine's one-minute load average, which includes the measured processes. NaN where /proc is not available.</summary>
    public static double LoadAverage() =>
        File.Exists("/proc/loadavg") ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture) : double.NaN;

    /// <summary>NaN of nothing.</summary>
    public static double Median(IReadOnlyCollection<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    public static double Rounded(double value, int digits = 2) => Math.Round(value, digits);
}
