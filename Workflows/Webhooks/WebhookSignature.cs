using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Darkroom.Access;

namespace Darkroom.Webhooks;

/// <summary>
/// Standard Webhooks, scheme <c>v1</c>: base64(HMAC-SHA256(secret, id "." timestamp "." body)). The headers are <c>webhook-id</c>,
/// <c>webhook-timestamp</c> and <c>webhook-signature</c>, a space-separated list with one signature per active secret.
/// </summary>
public static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    private const string Version = "v1,";

    /// <summary>
    /// The value of <see cref="SignatureHeader"/>: signed with every secret, so that a receiver can verify with any of them.
    /// </summary>
    public static string Sign(IEnumerable<string> secrets, string id, DateTimeOffset timestamp, ReadOnlySpan<byte> body)
    {
        var signatures = new List<string>();
        foreach (var secret in secrets)
        {
            var key = Key(secret) ?? throw new ArgumentException("A webhook secret must have the form whsec_<base64>.", nameof(secrets));
            signatures.Add(Version + Convert.ToBase64String(Mac(key, id, Seconds(timestamp), body)));
        }

        if (signatures.Count == 0)
            throw new ArgumentException("At least one secret is required.", nameof(secrets));
        return string.Join(' ', signatures);
    }

    internal static string Seconds(DateTimeOffset timestamp) => timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    private static byte[] Mac(byte[] key, string id, string timestamp, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        mac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        mac.AppendData(body);
        return mac.GetHashAndReset();
    }

    /// <summary>Null if the secret is malformed or empty: with an empty key, anyone could forge signatures.</summary>
    private static byte[]? Key(string secret)
    {
        var text = secret.StartsWith(WebhookSecrets.Prefix, StringComparison.Ordinal) ? secret[WebhookSecrets.Prefix.Length..] : secret;
        var key = new byte[text.Length];
        return Convert.TryFromBase64String(text, key, out var length) && length > 0 ? key[..length] : null;
    }
}
