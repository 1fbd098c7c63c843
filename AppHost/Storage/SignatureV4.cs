using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// Lets through only requests signed with our keys by AWS Signature Version 4, in the Authorization header or in the query
/// (presigned). Facts: AWS, "Authenticating Requests (AWS Signature Version 4)".
/// </summary>
internal sealed class SignatureV4(S3EndpointOptions options)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string Unsigned = "UNSIGNED-PAYLOAD";
    private const string TimestampFormat = "yyyyMMdd'T'HHmmss'Z'";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(7);

    // Keys derive from the day: four HMACs saved on nearly every request.
    private volatile DailyKey? _key;

    /// <exception cref="S3Error"/>
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
        var signed = new SignedRequest(KeyOf(claim.Day), claim.Timestamp, scope, payload, claim.Signature);
        return signed.Matches(toSign, claim.Signature)
            ? signed
            : throw new S3Error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.");
    }

    private static Claim FromHeader(HttpRequest request)
    {
        var header = Header(request, "Authorization") ?? throw S3Error.AccessDenied();
        if (!header.StartsWith(Algorithm + " ", StringComparison.Ordinal)) throw S3Error.InvalidRequest($"Only {Algorithm} is supported.");
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
        string Needed(string name) => target[name] ?? throw new S3Error(400, "AuthorizationQueryParametersError", $"Query-string authentication needs {name}.");
        if (Needed("X-Amz-Algorithm") != Algorithm
            || !int.TryParse(Needed("X-Amz-Expires"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds < 1 || seconds > LongestLife.TotalSeconds)
            throw new S3Error(400, "AuthorizationQueryParametersError", "X-Amz-Algorithm or X-Amz-Expires is not valid.");
        return new Claim(
            Needed("X-Amz-Credential").Split('/'), Needed("X-Amz-Date"), Needed("X-Amz-SignedHeaders").Split(';'),
            Needed("X-Amz-Signature"), TimeSpan.FromSeconds(seconds));
    }

    private void CheckScope(Claim claim)
    {
        if (claim.Credential is not [var accessKey, _, var region, "s3", "aws4_request"]) throw Malformed("the credential is not of the form key/day/region/s3/aws4_request");
        if (region != options.Region) throw Malformed($"the region '{region}' is wrong; expecting '{options.Region}'");
        if (!Same(accessKey, options.AccessKey)) throw new S3Error(403, "InvalidAccessKeyId", "The access key you provided does not exist in our records.");
    }

    private void CheckTime(Claim claim)
    {
        if (!DateTimeOffset.TryParseExact(claim.Timestamp, TimestampFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signedAt)
            || !claim.Timestamp.StartsWith(claim.Day, StringComparison.Ordinal))
            throw S3Error.AccessDenied("The request needs a valid x-amz-date of the credential's day.");

        var age = options.Time.GetUtcNow() - signedAt;
        if (age < -ClockSkew || (claim.Lifetime is null && age > ClockSkew))
            throw new S3Error(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.");
        if (age > claim.Lifetime) throw S3Error.AccessDenied("Request has expired");
    }

    /// <summary>A header that changes what S3 does must not be added by someone on the way.</summary>
    private static void CheckCoverage(Claim claim, HttpRequest request)
    {
        if (!claim.SignedHeaders.Contains("host")) throw S3Error.AccessDenied("The host header must be signed.");
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

    private byte[] KeyOf(string day)
    {
        if (_key is { } cached && cached.Day == day) return cached.Key;
        var key = Encoding.UTF8.GetBytes("AWS4" + options.SecretKey);
        foreach (var step in (string[])[day, options.Region, "s3", "aws4_request"]) key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(step));
        _key = new DailyKey(day, key);
        return key;
    }

    private static string? Header(HttpRequest request, string name) => request.Headers.TryGetValue(name, out var values) ? values[0] : null;

    private static bool Same(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));

    private static S3Error Malformed(string what) => new(400, "AuthorizationHeaderMalformed", $"The authorization header is malformed; {what}.");

    private sealed record DailyKey(string Day, byte[] Key);

    /// <summary>What a request says of itself; <see cref="Lifetime"/> only if presigned.</summary>
    private sealed record Claim(string[] Credential, string Timestamp, string[] SignedHeaders, string Signature, TimeSpan? Lifetime)
    {
        public bool IsPresigned => Lifetime is not null;
        public string Day => Credential.Length > 1 ? Credential[1] : "";
    }
}
