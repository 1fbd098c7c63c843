using System.Text;

namespace Darkroom.Csv;

/// <summary>
/// The <c>Output Image Urls</c> cell: exactly one slot per input URL, in the same order, separated by a comma and a space. The slot
/// of a failed image is empty, so <c>, https://…/2.jpg, </c> means failed, succeeded, failed, and an empty cell is a single failed slot.
/// A slot
/// never contains a space or a comma (a comma is written <c>%2C</c>), so splitting at comma and space restores the slots. A cell without
/// empty
/// slots is also a valid input list with the same URLs.
/// </summary>
public static class OutputUrlList
{
    private const string Separator = ", ";

    /// <exception cref="ArgumentException">A URL contains white space or a control character, so the list could not be read
    /// back.</exception>
    public static string Format(IEnumerable<string?> slots)
    {
        ArgumentNullException.ThrowIfNull(slots);
        var cell = new StringBuilder();
        var separator = "";
        foreach (var slot in slots)
        {
            cell.Append(separator).Append(Encode(slot));
            separator = Separator;
        }
        return cell.ToString();
    }

    public static IReadOnlyList<string?> Parse(string cell)
    {
        ArgumentNullException.ThrowIfNull(cell);
        return [.. cell.Split(Separator).Select(slot => slot.Length == 0 ? null : slot)];
    }

    private static string? Encode(string? url)
    {
        if (url is null)
            return null;
        if (url.Length == 0 || url.AsSpan().IndexOfAnyInRange('\0', ' ') >= 0 || url.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
            throw new ArgumentException("An output URL is empty or contains white space or a control character.");
        return url.Replace(",", "%2C", StringComparison.Ordinal);
    }
}
