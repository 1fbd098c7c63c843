using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Darkroom.Images;

/// <summary>
/// Sample photos for test runs of a workflow. They are embedded in this assembly and have URLs on a host that cannot exist, so they are
/// never fetched: a test run needs no network and no exception in the egress guard.
/// </summary>
public static class SampleImages
{
    /// <summary>Reserved by RFC 2606, so this name never resolves.</summary>
    public const string Host = "sample.darkroom.invalid";

    private const string Prefix = "Darkroom.Samples.";

    /// <summary>A CSV of two products that uses the sample images.</summary>
    public static byte[] Csv { get; } = Encoding.UTF8.GetBytes(
        $"""
        S. No.,Product Name,Input Image Urls
        1.,Lounge chair,https://{Host}/lounge-chair.jpg
        2.,Rangefinder,"https://{Host}/rangefinder-lens.jpg, https://{Host}/insulated-bottles.webp"

        """.ReplaceLineEndings("\n"));

    /// <summary>The workflow inputs of a request with this CSV.</summary>
    public static IReadOnlyDictionary<string, JsonElement> Inputs { get; } = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
    {
        ["RequestId"] = JsonSerializer.SerializeToElement(Guid.Empty),
        ["Run"] = JsonSerializer.SerializeToElement(1),
        ["FileName"] = JsonSerializer.SerializeToElement(FileName),
        ["Products"] = JsonSerializer.SerializeToElement(2),
        ["Images"] = JsonSerializer.SerializeToElement(3),
    };

    /// <summary>The sample used to test a single activity.</summary>
    public static Uri First { get; } = new($"https://{Host}/lounge-chair.jpg");

    public const string FileName = "sample.csv";

    public static bool Has(Uri url) => url.IdnHost.Equals(Host, StringComparison.OrdinalIgnoreCase);

    /// <summary>Opens the sample with this URL; the caller disposes it.</summary>
    public static async Task<FetchedImage> OpenAsync(Uri url, CancellationToken cancellationToken)
    {
        await using var stream = typeof(SampleImages).Assembly.GetManifestResourceStream(Prefix + url.AbsolutePath.TrimStart('/'))
            ?? throw new ImageFailedException(new ImageFailure(ImageFailureCodes.NotFound, "There is no sample image of this name."));
        var buffer = new PooledBuffer((int)stream.Length + 1);
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer.GetMemory(1), cancellationToken)) > 0)
                buffer.Advance(read);
            return new FetchedImage(buffer, FormatSniffer.Recognise(buffer.Span), SHA256.HashData(buffer.Span), url);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }
}
