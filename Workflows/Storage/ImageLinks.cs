using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Darkroom.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Darkroom.Storage;

/// <summary>
/// The addresses of finished images as they stand in the output CSV: they open without a header and do not expire. Where the
/// bucket has a public address it is that plus the key; else <c>/i/{image}/{mac}</c> of the API, where the mac proves that we
/// made the link for this very object.
/// </summary>
public sealed class ImageLinks(InstallationSecrets secrets, S3ConnectionString connection, IOptions<LinkOptions> options) : IHostedService
{
    private const string SecretName = "image-links";

    // Half of SHA-256: nobody guesses 128 bits over HTTP, and a million links in a CSV stay short.
    private const int MacBytes = 16;

    private readonly string _base = options.Value.Base;
    private readonly string? _publicBase = connection.PublicBaseUrl?.AbsoluteUri.TrimEnd('/');
    private byte[]? _secret;

    /// <summary>Loads the secret that all processes of this installation share; the first one makes it.</summary>
    public async Task StartAsync(CancellationToken cancellationToken) =>
        _secret = await secrets.GetOrCreateAsync(SecretName, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The address of an image's recorded object.</summary>
    public string For(ImageId image, string outputKey) =>
        _publicBase is null ? $"{_base}/i/{image}/{Mac(image, outputKey)}" : $"{_publicBase}/{outputKey}";

    /// <summary>Whether <paramref name="mac"/> came from a link that we made for this image and the object recorded for it.</summary>
    public bool Verify(ImageId image, string outputKey, string mac) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(mac), Encoding.UTF8.GetBytes(Mac(image, outputKey)));

    private string Mac(ImageId image, string outputKey)
    {
        var secret = _secret ?? throw new InvalidOperationException("Image links are used before their secret was loaded: start the host first.");
        var subject = string.Create(CultureInfo.InvariantCulture, $"{image.Value}\n{outputKey}");
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(subject), mac);
        return Base64Url.EncodeToString(mac[..MacBytes]);
    }
}
