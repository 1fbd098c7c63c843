using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// Verifies AWS Signature Version 4, in the Authorization header or in the query string (presigned URLs).
/// Specification: AWS, "Authenticating Requests (AWS Signature Version 4)".
/// </summary>
internal sealed class SignatureV4(S3EndpointOptions options)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string Unsigned = "UNSIGNED-PAYLOAD";
    private const string TimestampFormat = "yyyyMMdd'T'HHmmss'Z'";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(7);

    // The signing key changes only once a day; caching it saves four HMACs per request.
    private volatile DailyKey? _dailyKey;

    /// <exception cref="S3Error">The signature is missing, invalid or expired.</exception>
    public SignedRequest Verify(HttpRequest request, S3Target target)
    {
        var claim = target["X-Amz-Signature"] is not null ? FromQuery(target) : FromHeader(request);
        CheckScope(claim);
        CheckTime(claim);
        CheckCoverage(claim, request);

        var payload = claim.IsPresigned
            ? target["X-Amz-Content-Sha256"] ?? Unsigned
            : Header(request, "x-amz-content-sha256") ?? throw S3Error.InvalidRequest("Missing required header for this request: x-amz-content-sha256.");
        var scope = $"{claim.Day}/{options.Region}/s3/aws4_request";
        var canonical = CanonicalRequest(request, target, claim, payload);
        var toSign = $"{Algorithm}\n{claim.Timestamp}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var signed = new SignedRequest(SigningKey(claim.Day), claim.Timestamp, scope, payload, claim.Signature);
        return signed.Matches(toSign, claim.Signature)
            ? signed
            : throw new S3Error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.");
    }

    private static Claim FromHeader(HttpRequest request)
    {
        var header = Header(request, "Authorization") ?? throw S3Error.AccessDenied();
        if (!header.StartsWith(Algorithm + " ", StringComparison.Ordinal))
            throw S3Error.InvalidRequest($"Only {Algorithm} is supported.");
        var fields = header[(Algorithm.Length + 1)..]
            .Split(',', StringSplitOptions.TrimEntries)
            .Select(field => field.Split('=', 2))
            .Where(field => field.Length == 2)
            .GroupBy(field => field[0])
            .ToDictionary(group => group.Key, group => group.First()[1]);
        if (!fields.TryGetValue("Credential", out var credential)
            || !fields.TryGetValue("SignedHeaders", out var headers)
            || !fields.TryGetValue("Signature", out var signature))
            throw Malformed("it needs Credential, SignedHeaders and Signature");
        return new Claim(credential.Split('/'), Header(request, "x-amz-date") ?? "", headers.Split(';'), signature, Lifetime: null);
    }

    private static Claim FromQuery(S3Target target)
    {
        string Required(string name) => target[name] ?? throw new S3Error(400, "AuthorizationQueryParametersError", $"Query-string authentication needs {name}.");
        if (Required("X-Amz-Algorithm") != Algorithm
            || !int.TryParse(Required("X-Amz-Expires"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds < 1 || seconds > MaxLifetime.TotalSeconds)
            throw new S3Error(400, "AuthorizationQueryParametersError", "X-Amz-Algorithm or X-Amz-Expires is not valid.");
        return new Claim(
            Required("X-Amz-Credential").Split('/'), Required("X-Amz-Date"), Required("X-Amz-SignedHeaders").Split(';'),
            Required("X-Amz-Signature"), TimeSpan.FromSeconds(seconds));
    }

    private void CheckScope(Claim claim)
    {
        if (claim.Credential is not [var accessKey, _, var region, "s3", "aws4_request"])
            throw Malformed("the credential is not of the form key/day/region/s3/aws4_request");
        if (region != options.Region)
            throw Malformed($"the region '{region}' is wrong; expecting '{options.Region}'");
        if (!FixedTimeEquals(accessKey, options.AccessKey))
            throw new S3Error(403, "InvalidAccessKeyId", "The access key you provided does not exist in our records.");
    }

    private void CheckTime(Claim claim)
    {
        if (!DateTimeOffset.TryParseExact(claim.Timestamp, TimestampFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signedAt)
            || !claim.Timestamp.StartsWith(claim.Day, StringComparison.Ordinal))
            throw S3Error.AccessDenied("The request needs a valid x-amz-date of the credential's day.");

        var age = options.Time.GetUtcNow() - signedAt;
        if (age < -ClockSkew || (claim.Lifetime is null && age > ClockSkew))
            throw new S3Error(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.");
        if (age > claim.Lifetime)
            throw S3Error.AccessDenied("Request has expired");
    }

    /// <summary>All <c>x-amz-</c> headers must be signed, so that nobody on the way can add one and change the request's meaning.</summary>
    private static void CheckCoverage(Claim claim, HttpRequest request)
    {
        if (!claim.SignedHeaders.Contains("host"))
            throw S3Error.AccessDenied("The host header must be signed.");
        foreach (var (name, _) in request.Headers)
        {
            if (name.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase) && !claim.SignedHeaders.Contains(name, StringComparer.OrdinalIgnoreCase))
                throw S3Error.AccessDenied("There were headers present in the request which were not signed.");
        }
    }

    private static string CanonicalRequest(HttpRequest request, S3Target target, Claim claim, string payload)
    {
        var text = new StringBuilder(1024).Append(request.Method).Append('\n');
        AwsEscape.Append(text, target.Path, keepSlash: true);
        text.Append('\n');

        var query = target.Query
            .Where(pair => pair.Key != "X-Amz-Signature")
            .Select(pair => (Name: AwsEscape.Escape(pair.Key), Value: AwsEscape.Escape(pair.Value)))
            .OrderBy(pair => pair.Name, StringComparer.Ordinal)
            .ThenBy(pair => pair.Value, StringComparer.Ordinal);
        text.AppendJoin('&', query.Select(pair => pair.Name + "=" + pair.Value)).Append('\n');

        foreach (var name in claim.SignedHeaders)
            text.Append(name).Append(':').AppendJoin(',', request.Headers[name].Select(Collapse)).Append('\n');
        return text.Append('\n').AppendJoin(';', claim.SignedHeaders).Append('\n').Append(payload).ToString();
    }

    private static string Collapse(string? value)
    {
        var trimmed = value?.Trim(' ') ?? "";
        return trimmed.Contains("  ", StringComparison.Ordinal)
            ? string.Join(' ', trimmed.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            : trimmed;
    }

    private byte[] SigningKey(string day)
    {
        if (_dailyKey is { } cached && cached.Day == day)
            return cached.Key;
        var key = Encoding.UTF8.GetBytes("AWS4" + options.SecretKey);
        foreach (var step in (string[])[day, options.Region, "s3", "aws4_request"])
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(step));
        _dailyKey = new DailyKey(day, key);
        return key;
    }

    private static string? Header(HttpRequest request, string name) => request.Headers.TryGetValue(name, out var values) ? values[0] : null;

    private static bool FixedTimeEquals(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));

    private static S3Error Malformed(string what) => new(400, "AuthorizationHeaderMalformed", $"The authorization header is malformed; {what}.");

    private sealed record DailyKey(string Day, byte[] Key);

    /// <summary>The unverified authentication fields of a request. <see cref="Lifetime"/> is set only for presigned URLs.</summary>
    private sealed record Claim(string[] Credential, string Timestamp, string[] SignedHeaders, string Signature, TimeSpan? Lifetime)
    {
        public bool IsPresigned => Lifetime is not null;
        public string Day => Credential.Length > 1 ? Credential[1] : "";
    }
}

/// <summary>A request whose signature was verified, with what is needed to verify its body and the body's chunks.</summary>
/// <param name="Payload">The hex hash of the body, or a constant that says how the body is signed.</param>
/// <param name="Signature">The request's signature, on which the first chunk signature is based.</param>
internal sealed record SignedRequest(byte[] Key, string Timestamp, string Scope, string Payload, string Signature)
{
    private static readonly string EmptyHash = Convert.ToHexStringLower(SHA256.HashData([]));

    public bool Matches(string toSign, string signature)
    {
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(toSign), expected);
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(expected)), Encoding.ASCII.GetBytes(signature));
    }

    public bool ChunkMatches(string previous, ReadOnlySpan<byte> hash, string signature) =>
        Matches($"AWS4-HMAC-SHA256-PAYLOAD\n{Timestamp}\n{Scope}\n{previous}\n{EmptyHash}\n{Convert.ToHexStringLower(hash)}", signature);

    public bool TrailerMatches(string previous, ReadOnlySpan<byte> hash, string signature) =>
        Matches($"AWS4-HMAC-SHA256-TRAILER\n{Timestamp}\n{Scope}\n{previous}\n{Convert.ToHexStringLower(hash)}", signature);
}

/// <summary>Percent-encoding as AWS signatures require it: unreserved characters are kept, hex digits are upper case.</summary>
internal static class AwsEscape
{
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        Append(escaped, text, keepSlash: false);
        return escaped.ToString();
    }

    public static void Append(StringBuilder target, string text, bool keepSlash)
    {
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            var c = (char)b;
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~' || (keepSlash && c == '/'))
                target.Append(c);
            else
                target.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
    }
}
