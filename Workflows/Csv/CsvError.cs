using System.Globalization;
using System.Text;

namespace Darkroom.Csv;

/// <summary>Why a file is refused, at one place of it.</summary>
/// <param name="Line">1-based line on which the record starts, or on which the offending byte lies.</param>
/// <param name="Column">1-based cell; null where the whole record or file is meant.</param>
/// <param name="Code">One of <see cref="CsvErrorCodes"/>.</param>
/// <param name="Message">For the person who mends the file: what is wrong and what to do.</param>
/// <param name="Value">The offending text, shortened, with control characters escaped, so that it is safe in logs and terminals.</param>
public sealed record CsvError(long Line, int? Column, string Code, string Message, string? Value)
{
    private const int ShownCharacters = 120;

    internal static CsvError At(long line, int? column, string code, string message, ReadOnlySpan<char> value = default) =>
        new(line, column, code, message, value.IsEmpty ? null : Show(value));

    internal static string Show(ReadOnlySpan<char> text)
    {
        var shown = new StringBuilder(Math.Min(text.Length, ShownCharacters) + 8);
        foreach (var c in text[..Math.Min(text.Length, ShownCharacters)])
            Append(shown, c);
        if (text.Length > ShownCharacters)
            shown.Append('…');
        return shown.ToString();
    }

    private static void Append(StringBuilder shown, char c)
    {
        // Surrogates too: a pair cut in two by the shortening would be no valid text.
        var escape = char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
        if (escape)
            shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
        else
            shown.Append(c);
    }
}
