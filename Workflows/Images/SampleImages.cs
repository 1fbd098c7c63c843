using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Darkroom.Images;

/// <summary>
/// The photos on which a workflow is tried. They travel in this assembly and are named by URLs of a host that cannot exist, so
/// they are never fetched: trying a workflow needs no network, and opens no address that the egress guard keeps closed.
/// </summary>
public static class SampleImages
{
    /// <summary>Reserved by RFC 2606: no such name is ever resolved.</summary>
    public const string Host = "sample.darkroom.invalid";

    private const string Prefix = "Darkroom.Samples.";

    /// <summary>A CSV of two products whose images are the sample's.</summary>
    public static byte[] Csv { get; } = Encoding.UTF8.GetBytes(
        $"""
        S. No.,Product Name,Input Image Urls
        1.,Lounge chair,https://{Host}/lounge-chair.jpg
        2.,Rangefinder,"https://{Host}/rangefinder-lens.jpg, https://{Host}/insulated-bottles.webp"

        """.ReplaceLineEndings("\n"));

    /// <summary>What a request of this CSV brings to its workflow.</summary>
    public static IReadOnlyDictionary<string, JsonElement> Inputs { get; } = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
    {
        ["RequestId"] = JsonSerializer.SerializeToElement(Guid.Empty),
        ["Run"] = JsonSerializer.SerializeToElement(1),
        ["FileName"] = JsonSerializer.SerializeToElement(FileName),
        ["Products"] = JsonSerializer.SerializeToElement(2),
        ["Images"] = JsonSerializer.SerializeToElement(3),
    };

    /// <summary>The photo that stands for any image where one activity is tried.</summary>
    public static Uri First { get; } = new($"https://{Host}/lounge-chair.jpg");

    public const string FileName = "sample.csv";

    public static bool Has(Uri url) => url.IdnHost.Equals(Host, StringComparison.OrdinalIgnoreCase);

    /// <summary>The photo of this name; the caller disposes it.</summary>
    public static async Task<FetchedImage> OpenAsync(Uri url, CancellationToken cancellationToken)
    {
        await using var stream = typeof(SampleImages).Assembly.GetManifestResourceStream(Prefix + url.AbsolutePath.TrimStart('/'))
            ?? throw new ImageFailedException(new ImageFailure(ImageFailureCodes.NotFound, "There is no sample of this name."));
        var buffer = new PooledBuffer((int)stream.Length + 1);
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer.GetMemory(1), cancellationToken)) > 0) buffer.Advance(read);
            return new FetchedImage(buffer, FormatSniffer.Recognise(buffer.Span), SHA256.HashData(buffer.Span), url);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }
}
