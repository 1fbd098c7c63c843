using System.Globalization;
using Darkroom.Csv;
using Darkroom.Egress;
using Darkroom.Images;
using Darkroom.Requests;

namespace Darkroom.Activities;

/// <summary>What a workflow version allows of a CSV whose form is good. Pure: the rows pass by, and the first error ends it.</summary>
internal sealed class CsvPolicy(int maxProducts, int maxImages, IReadOnlyList<string> allowedHosts, EgressGuard egress)
{
    /// <summary>Splits the list that people write; null and blank mean that every host is allowed.</summary>
    public static IReadOnlyList<string> ReadHosts(string? list) =>
        list?.Split([',', ';', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    public CsvRejection? Judge(int products, int images) =>
        products > maxProducts
            ? new CsvRejection("too_many_products", string.Create(CultureInfo.InvariantCulture, $"This workflow takes at most {maxProducts} products; the CSV has {products}."))
            : images > maxImages
                ? new CsvRejection("too_many_images", string.Create(CultureInfo.InvariantCulture, $"This workflow takes at most {maxImages} images; the CSV has {images}."))
                : null;

    public CsvRejection? Judge(ProductRow product)
    {
        foreach (var text in product.Urls)
        {
            var url = new Uri(text);
            if (SampleImages.Has(url)) continue;
            if (allowedHosts.Count > 0 && !allowedHosts.Any(allowed => Matches(url.IdnHost, allowed)))
                return At(product, "host_not_allowed", $"{url.IdnHost} is not among the hosts that this workflow allows.");
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
