using System.Globalization;
using System.Text;

namespace Darkroom.Benchmarks.Product;

/// <summary>The text of a CSV with one product per image.</summary>
internal static class ProductCsv
{
    public static string Of(IReadOnlyList<string> urls)
    {
        var csv = new StringBuilder("S. No.,Product Name,Input Image Urls\n");
        for (var i = 0; i < urls.Count; i++)
            csv.Append(CultureInfo.InvariantCulture, $"{i + 1},Product {i + 1},{urls[i]}\n");
        return csv.ToString();
    }
}
