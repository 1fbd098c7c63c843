using System.Globalization;
using Darkroom.Csv;
using Darkroom.Egress;
using Darkroom.Images;
using Darkroom.Requests;

namespace Darkroom.Activities;

/// <summary>
/// The limits that a workflow version sets for a valid CSV. Pure: checks one row at a time, and the first rejection ends the check.
/// </summary>
internal sealed class CsvPolicy(int maxProducts, int maxImages, IReadOnlyList<string> allowedHosts, EgressGuard egress)
{
    /// <summary>Splits the list as users write it. Null or blank means that every host is allowed.</summary>
    public static IReadOnlyList<string> ReadHosts(string? list) =>
        list?.Split([',', ';', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    public CsvRejection? CheckCounts(int products, int images) =>
        products > maxProducts
            ? new CsvRejection("too_many_products", string.Create(CultureInfo.InvariantCulture, $"This workflow takes at most {maxProducts} products; the CSV has {products}."))
            : images > maxImages
                ? new CsvRejection("too_many_images", string.Create(CultureInfo.InvariantCulture, $"This workflow takes at most {maxImages} images; the CSV has {images}."))
                : null;

    public CsvRejection? CheckUrls(ProductRow product)
    {
        foreach (var text in product.Urls)
        {
            var url = new Uri(text);
            if (SampleImages.Has(url))
                continue;
            if (allowedHosts.Count > 0 && !allowedHosts.Any(allowed => Matches(url.IdnHost, allowed)))
                return At(product, "host_not_allowed", $"{url.IdnHost} is not one of the hosts that this workflow allows.");
            if (egress.CheckUri(url) is { } refusal)
                return At(product, refusal.Code, refusal.Message);
        }

        return null;
    }

    private static CsvRejection At(ProductRow product, string code, string message) =>
        new(code, string.Create(CultureInfo.InvariantCulture, $"Line {product.Line}: {message}"));

    private static bool Matches(string host, string allowed) =>
        allowed.StartsWith('.')
            ? host.EndsWith(allowed, StringComparison.OrdinalIgnoreCase) || host.Equals(allowed[1..], StringComparison.OrdinalIgnoreCase)
            : host.Equals(allowed, StringComparison.OrdinalIgnoreCase);
}
