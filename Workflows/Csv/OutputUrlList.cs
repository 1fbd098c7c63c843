using System.Text;

namespace Darkroom.Csv;

/// <summary>
/// The cell <c>Output Image Urls</c>: exactly one slot for each input URL, in the same sequence. Slots are separated by a comma and a
/// blank, n slots by n - 1 separators; a failed image's slot has nothing in it. So <c>, https://…/2.jpg, </c> is: failed, succeeded, failed, and an
/// empty cell is one slot, failed. Within a slot there is neither blank nor comma (a comma is written <c>%2C</c>), so splitting at comma and
/// blank gives the slots back. Read by the grammar of the input's lists, a cell without empty slots gives the same URLs.
/// </summary>
public static class OutputUrlList
{
    private const string Separator = ", ";

    /// <exception cref="ArgumentException">A URL has a blank or control character in it, so that the list could not be read back.</exception>
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
            throw new ArgumentException("An output URL has no text, or a blank or control character in it.");
        return url.Replace(",", "%2C", StringComparison.Ordinal);
    }
}
