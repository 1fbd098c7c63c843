using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Darkroom.Configuration;

/// <summary>
/// The duration formats accepted in the configuration. .NET accepts surprising ones: <c>30</c> is 30 days, <c>24:00:00</c> is 24 days and
/// <c>00:30</c> is half an hour. Only unambiguous formats are accepted.
/// </summary>
internal static class Durations
{
    private static readonly string[] Formats = [@"hh\:mm\:ss", @"hh\:mm\:ss\.FFFFFFF", @"d\.hh\:mm\:ss", @"d\.hh\:mm\:ss\.FFFFFFF"];

    public static bool IsDuration(PropertyInfo property) => property.PropertyType == typeof(TimeSpan) || property.PropertyType == typeof(TimeSpan?);

    /// <summary>The durations of <paramref name="options"/> in any other format. A blank optional duration counts as not set.</summary>
    public static IEnumerable<string> Problems(object options, IConfigurationSection section) =>
        from property in options.GetType().GetProperties()
        where property.CanWrite && IsDuration(property)
        let text = section[property.Name]
        where text is not null && !(text.Length == 0 && property.PropertyType == typeof(TimeSpan?))
        where !TimeSpan.TryParseExact(text, Formats, CultureInfo.InvariantCulture, out _)
        select $"{section.Path}:{property.Name} is '{text}'. A duration is {HowToWrite(options, property)}.";

    /// <param name="options">The options with their defaults; the property's default is the example.</param>
    public static string HowToWrite(object options, PropertyInfo property) =>
        $"written [d.]hh:mm:ss, for example {Text((TimeSpan?)property.GetValue(options) ?? TimeSpan.FromDays(30))}";

    private static string Text(TimeSpan duration)
    {
        var text = duration.ToString("c", CultureInfo.InvariantCulture);
        return duration.Ticks % TimeSpan.TicksPerSecond == 0 ? text : text.TrimEnd('0');
    }
}
