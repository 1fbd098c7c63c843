using System.Globalization;
using System.Text.Json;

namespace Darkroom.Benchmarks;

/// <summary>One line of JSON a measurement, so that runs can be compared by programs, with the load of the machine beside it.</summary>
internal static class Report
{
    public static void Write(object measurement) => Console.WriteLine(JsonSerializer.Serialize(measurement, JsonSerializerOptions.Web));

    /// <summary>Programs that ran or wanted to, over the last minute; the measured ones are among them.</summary>
    public static double LoadAverage() =>
        File.Exists("/proc/loadavg") ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture) : double.NaN;

    public static double Rounded(double value, int digits = 2) => Math.Round(value, digits);
}
