using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Darkroom.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Darkroom.Storage;

/// <summary>
/// The URLs of finished images in the output CSV. They work without an API key and do not expire. If the bucket has a public
/// address, the URL is that plus the key; otherwise it is <c>/i/{image}/{mac}</c> on the API, where the MAC proves that we issued the
/// link for exactly this object.
/// </summary>
public sealed class ImageLinks(InstallationSecrets secrets, S3ConnectionString connection, IOptions<LinkOptions> options) : IHostedService
{
    private const string SecretName = "image-links";

    // Half of SHA-256: 128 bits cannot be guessed over HTTP, and a million links in a CSV stay short.
    private const int MacBytes = 16;

    private readonly string _base = options.Value.Base;
    private readonly string? _publicBase = connection.PublicBaseUrl?.AbsoluteUri.TrimEnd('/');
    private byte[]? _secret;

    /// <summary>Loads the secret that all processes of this installation share; the first one creates it.</summary>
    public async Task StartAsync(CancellationToken cancellationToken) =>
        _secret = await secrets.GetOrCreateAsync(SecretName, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The URL of an image's recorded output object.</summary>
    public string For(ImageId image, string outputKey) =>
        _publicBase is null ? $"{_base}/i/{image}/{Mac(image, outputKey)}" : $"{_publicBase}/{outputKey}";

    /// <summary>Whether <paramref name="mac"/> is from a link that we issued for this image and its recorded object.</summary>
    public bool Verify(ImageId image, string outputKey, string mac) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(mac), Encoding.UTF8.GetBytes(Mac(image, outputKey)));

    private string Mac(ImageId image, string outputKey)
    {
        var secret = _secret ?? throw new InvalidOperationException("Image links were used before their secret was loaded. Start the host first.");
        var subject = string.Create(CultureInfo.InvariantCulture, $"{image.Value}\n{outputKey}");
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(subject), mac);
        return Base64Url.EncodeToString(mac[..MacBytes]);
    }
}
