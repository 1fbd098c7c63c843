using System.Globalization;
using System.Text;

namespace Darkroom.Csv;

/// <summary>The cell <c>Errors</c>: position and code of each failed image of the row, <c>2: not_found; 3: timeout</c>; empty when none failed.</summary>
public static class OutputErrorList
{
    public static string Format(IReadOnlyList<ImageResult> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        var cell = new StringBuilder();
        for (var index = 0; index < images.Count; index++)
        {
            if (images[index].Url is null)
                cell.Append(cell.Length > 0 ? "; " : "").Append(CultureInfo.InvariantCulture, $"{index + 1}: {images[index].ErrorCode ?? "unknown"}");
        }
        return cell.ToString();
    }
}
