using System.Data.Common;

namespace Darkroom.Storage;

/// <summary>
/// Where the object store is: <c>Endpoint=..;Region=..;Bucket=..;ForcePathStyle=..;AccessKey=..;SecretKey=..;PublicBaseUrl=..</c>.
/// Only the bucket is required. Without an endpoint, the store is AWS in the given region; without keys, the SDK's default
/// credential chain supplies them (environment, profile, the role of the instance or container).
/// </summary>
public sealed record S3ConnectionString
{
    private static readonly string[] Names =
        [nameof(Endpoint), nameof(Region), nameof(Bucket), nameof(ForcePathStyle), nameof(AccessKey), nameof(SecretKey), nameof(PublicBaseUrl)];

    public required string Bucket { get; init; }

    /// <summary>Null for AWS.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Null only without an endpoint; the SDK then determines it, as it does the credentials.</summary>
    public string? Region { get; init; }

    /// <summary>Puts the bucket in the path rather than in the host name. Default: true with an endpoint, false on AWS.</summary>
    public bool ForcePathStyle { get; init; }

    public string? AccessKey { get; init; }
    public string? SecretKey { get; init; }

    /// <summary>Address at which anyone can read the bucket (a CDN, a public bucket). Links are then this address plus the key.</summary>
    public Uri? PublicBaseUrl { get; init; }

    /// <exception cref="FormatException">Lists every problem; never repeats a value that may be secret.</exception>
    public static S3ConnectionString Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            throw new FormatException("The connection string 's3' is missing. Set ConnectionStrings__s3=Endpoint=..;Region=..;Bucket=..");

        var values = Read(text);
        var errors = new List<string>();
        foreach (var name in values.Keys.Except(Names, StringComparer.OrdinalIgnoreCase))
            errors.Add($"'{name}' is not one of {string.Join(", ", Names)}");

        var bucket = values.GetValueOrDefault(nameof(Bucket));
        if (bucket is null)
            errors.Add("Bucket is missing");
        var endpoint = Url(values, nameof(Endpoint), errors);
        var accessKey = values.GetValueOrDefault(nameof(AccessKey));
        var secretKey = values.GetValueOrDefault(nameof(SecretKey));
        if (accessKey is null != secretKey is null)
            errors.Add("AccessKey and SecretKey go together: set both, or neither to use the AWS default credential chain");

        var parsed = new S3ConnectionString
        {
            Bucket = bucket ?? "",
            Endpoint = endpoint,
            Region = values.GetValueOrDefault(nameof(Region)) ?? (endpoint is null ? null : "us-east-1"),
            ForcePathStyle = Flag(values, nameof(ForcePathStyle), endpoint is not null, errors),
            AccessKey = accessKey,
            SecretKey = secretKey,
            PublicBaseUrl = Url(values, nameof(PublicBaseUrl), errors),
        };
        return errors.Count == 0 ? parsed : throw new FormatException($"The connection string 's3' is invalid: {string.Join("; ", errors)}.");
    }

    /// <summary>Leaves out the keys.</summary>
    public override string ToString() => $"bucket {Bucket} at {Endpoint?.ToString() ?? "AWS " + (Region ?? "(region from the environment)")}";

    private static Dictionary<string, string> Read(string text)
    {
        var builder = new DbConnectionStringBuilder();
        try
        {
            builder.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            // The parser's own message may quote the text it failed on, which may be the secret.
            throw new FormatException("The connection string 's3' is invalid: it is not of the form Name=value;Name=value.");
        }

        return builder.Cast<KeyValuePair<string, object>>()
            .Where(pair => pair.Value is string { Length: > 0 })
            .ToDictionary(pair => pair.Key, pair => (string)pair.Value, StringComparer.OrdinalIgnoreCase);
    }

    private static Uri? Url(Dictionary<string, string> values, string name, List<string> errors)
    {
        if (!values.TryGetValue(name, out var value))
            return null;
        if (Uri.TryCreate(value, UriKind.Absolute, out var url) && url is { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" })
            return url;
        errors.Add($"{name} must be an http or https address without user info, query and fragment");
        return null;
    }

    private static bool Flag(Dictionary<string, string> values, string name, bool defaultValue, List<string> errors)
    {
        if (!values.TryGetValue(name, out var value))
            return defaultValue;
        if (bool.TryParse(value, out var flag))
            return flag;
        errors.Add($"{name} must be true or false");
        return defaultValue;
    }
}
