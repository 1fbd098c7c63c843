using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Darkroom.Access;

namespace Darkroom.Webhooks;

/// <summary>
/// Standard Webhooks, scheme <c>v1</c>: base64(HMAC-SHA256(secret, id "." timestamp "." body)). The headers are <c>webhook-id</c>,
/// <c>webhook-timestamp</c> and <c>webhook-signature</c>, the last a list, one entry a live secret, parted by blanks.
/// </summary>
public static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    /// <summary>How far a timestamp may lie from the receiver's clock, either way.</summary>
    public static readonly TimeSpan DefaultTolerance = TimeSpan.FromMinutes(5);

    private const string Version = "v1,";

    /// <summary>The value of <see cref="SignatureHeader"/>: signed with every secret, so that a receiver may hold any of them.</summary>
    public static string Sign(IEnumerable<string> secrets, string id, DateTimeOffset timestamp, ReadOnlySpan<byte> body)
    {
        var signatures = new List<string>();
        foreach (var secret in secrets)
        {
            var key = Key(secret) ?? throw new ArgumentException("A webhook secret reads whsec_<base64>.", nameof(secrets));
            signatures.Add(Version + Convert.ToBase64String(Mac(key, id, Seconds(timestamp), body)));
        }

        if (signatures.Count == 0) throw new ArgumentException("At least one secret is needed to sign.", nameof(secrets));
        return string.Join(' ', signatures);
    }

    /// <summary>For receivers: whether these headers and this body, exactly as received, were signed with one of the secrets just now.</summary>
    /// <param name="header">Gives a header's value by its name, in whatever case, or null.</param>
    public static bool Verify(
        IEnumerable<string> secrets, Func<string, string?> header, ReadOnlySpan<byte> body, DateTimeOffset now, TimeSpan? tolerance = null)
    {
        if (header(IdHeader) is not { Length: > 0 } id
            || header(TimestampHeader) is not { Length: > 0 } timestamp
            || header(SignatureHeader) is not { Length: > 0 } signatures)
            return false;
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        // As a decimal, for the difference of two longs may overflow.
        if (Math.Abs((decimal)now.ToUnixTimeSeconds() - seconds) > (decimal)(tolerance ?? DefaultTolerance).TotalSeconds) return false;

        var given = signatures.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Where(signature => signature.StartsWith(Version, StringComparison.Ordinal))
            .Select(signature => Encoding.ASCII.GetBytes(signature[Version.Length..]))
            .ToList();
        var matched = false;
        foreach (var secret in secrets)
        {
            if (Key(secret) is not { } key) continue;
            var expected = Encoding.ASCII.GetBytes(Convert.ToBase64String(Mac(key, id, timestamp, body)));
            foreach (var signature in given) matched |= CryptographicOperations.FixedTimeEquals(signature, expected);
        }

        return matched;
    }

    internal static string Seconds(DateTimeOffset timestamp) => timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    private static byte[] Mac(byte[] key, string id, string timestamp, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        mac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        mac.AppendData(body);
        return mac.GetHashAndReset();
    }

    /// <summary>Null for what is no key: an empty secret would let everyone sign.</summary>
    private static byte[]? Key(string secret)
    {
        var text = secret.StartsWith(WebhookSecrets.Prefix, StringComparison.Ordinal) ? secret[WebhookSecrets.Prefix.Length..] : secret;
        var key = new byte[text.Length];
        return Convert.TryFromBase64String(text, key, out var length) && length > 0 ? key[..length] : null;
    }
}
