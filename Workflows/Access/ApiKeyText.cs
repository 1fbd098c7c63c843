using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Darkroom.Access;

/// <summary>
/// The format of a key, <c>dk_&lt;prefix&gt;_&lt;secret&gt;</c>: a fixed start that secret scanners can find, a public prefix that lists
/// and logs may
/// show, and 256 random bits as the secret.
/// </summary>
public static partial class ApiKeyText
{
    /// <summary>Longer text is rejected without parsing.</summary>
    public const int MaxLength = 200;

    // Lower-case letters and digits without look-alikes. 32 of them, so that a random byte picks one without bias.
    private const string PrefixAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";

    public static string Generate() =>
        $"dk_{RandomNumberGenerator.GetString(PrefixAlphabet, 10)}_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))}";

    /// <summary>The public prefix, or null if the text is not a key.</summary>
    public static string? Prefix(string text)
    {
        if (text.Length > MaxLength)
            return null;
        var match = Form().Match(text);
        return match.Success ? match.Groups["prefix"].Value : null;
    }

    public static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    [GeneratedRegex(@"\Adk_(?<prefix>[a-z0-9]{2,32})_[A-Za-z0-9_-]{22,}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
