using System.Globalization;

namespace Darkroom.Runs;

/// <summary>
/// Which versions of a definition to select, in Elsa's terms: Latest, Published, LatestOrPublished, LatestAndPublished, Draft, AllVersions,
/// or a number.
/// </summary>
public readonly record struct VersionOptions
{
    private readonly string? _condition;

    private VersionOptions(string? condition, int number = 0)
    {
        _condition = condition;
        Number = number;
    }

    public static VersionOptions All { get; } = new(null);
    public static VersionOptions Latest { get; } = new("is_latest");
    public static VersionOptions Published { get; } = new("is_published");

    /// <summary>The version number to select, or 0.</summary>
    internal int Number { get; }

    /// <summary>SQL condition for the selected rows; may refer to <c>@version</c>.</summary>
    internal string Condition => _condition ?? "true";

    public static VersionOptions Exactly(int number) => new("version = @version", number);

    /// <summary>Parses a query parameter; blank means all versions. Null if it is not one of Elsa's terms.</summary>
    public static VersionOptions? Parse(string? text) => text?.Trim() switch
    {
        null or "" or "AllVersions" => All,
        "Latest" => Latest,
        "Published" => Published,
        "LatestOrPublished" => new VersionOptions("(is_latest or is_published)"),
        "LatestAndPublished" => new VersionOptions("is_latest and is_published"),
        "Draft" => new VersionOptions("is_latest and not is_published"),
        var other => int.TryParse(other, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? Exactly(number)
            : null,
    };
}
