using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>Operations on a bucket.</summary>
internal sealed class BucketOperations(BucketFolders buckets)
{
    private const int MaxKeys = 1000;

    // Sorts after every byte, so a listing that continues after a common prefix skips everything under it.
    private const char AfterAll = '\u0100';

    public Task HeadAsync(S3Exchange exchange)
    {
        buckets.Objects(exchange.Target.Bucket);
        return Task.CompletedTask;
    }

    public Task CreateAsync(S3Exchange exchange)
    {
        if (!buckets.Create(exchange.Target.Bucket))
            throw new S3Error(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.");
        exchange.Response.Headers.Location = "/" + exchange.Target.Bucket;
        return Task.CompletedTask;
    }

    public Task GetLocationAsync(S3Exchange exchange, string region)
    {
        buckets.Objects(exchange.Target.Bucket);
        return exchange.RespondXmlAsync(new XElement("LocationConstraint", region == "us-east-1" ? null : region));
    }

    public Task ListAsync(S3Exchange exchange)
    {
        var target = exchange.Target;
        var prefix = KeyBytes.From(target["prefix"] ?? "");
        var delimiter = KeyBytes.From(target["delimiter"] ?? "");
        var limit = exchange.Limit("max-keys", MaxKeys);
        var token = target["continuation-token"];
        var after = token is null ? KeyBytes.From(target["start-after"] ?? "") : ReadToken(token);
        Func<string, string> name = target["encoding-type"] == "url" ? AwsEscape.Escape : text => text;

        var body = new XElement("ListBucketResult");
        var root = buckets.Objects(target.Bucket);
        var count = 0;
        var truncated = false;
        var prefixes = new List<XElement>();
        foreach (var found in limit == 0 ? [] : FindKeys(root, prefix, delimiter, after))
        {
            if (truncated = count == limit)
                break;
            if (found.IsPrefix)
            {
                prefixes.Add(new XElement("CommonPrefixes", new XElement("Prefix", name(KeyBytes.ToText(found.Name)))));
            }
            else
            {
                using var file = ObjectFile.TryOpen(KeyPath.Object(root, found.Name));
                // Deleted since we read its name, or incomplete.
                if (file is null)
                    continue;
                body.Add(Contents(name(KeyBytes.ToText(found.Name)), file));
            }

            count++;
            after = found.IsPrefix ? found.Name + AfterAll : found.Name;
        }

        body.AddFirst(
            new XElement("Name", target.Bucket),
            new XElement("Prefix", name(target["prefix"] ?? "")),
            delimiter.Length == 0 ? null : new XElement("Delimiter", name(target["delimiter"]!)),
            new XElement("MaxKeys", limit),
            new XElement("KeyCount", count),
            new XElement("IsTruncated", truncated),
            token is null ? null : new XElement("ContinuationToken", token),
            truncated ? new XElement("NextContinuationToken", MakeToken(after)) : null,
            target["encoding-type"] == "url" ? new XElement("EncodingType", "url") : null);
        body.Add(prefixes);
        return exchange.RespondXmlAsync(body);
    }

    public async Task DeleteObjectsAsync(S3Exchange exchange)
    {
        var request = await exchange.ReadXmlAsync();
        var quiet = request.Elements().Any(e => e.Name.LocalName == "Quiet" && e.Value == "true");
        var keys = request.Elements()
            .Where(e => e.Name.LocalName == "Object")
            .Select(e => e.Elements().FirstOrDefault(child => child.Name.LocalName == "Key")?.Value ?? throw S3Error.MalformedXml())
            .ToList();
        if (keys.Count is 0 or > MaxKeys)
            throw S3Error.MalformedXml();

        buckets.Delete(exchange.Target.Bucket, keys.Select(KeyBytes.From));
        await exchange.RespondXmlAsync(new XElement(
            "DeleteResult", quiet ? null : keys.Select(key => new XElement("Deleted", new XElement("Key", key)))));
    }

    /// <summary>Keys in order; those that contain the delimiter after the prefix are rolled up into common prefixes.</summary>
    private static IEnumerable<(string Name, bool IsPrefix)> FindKeys(string root, string prefix, string delimiter, string after)
    {
        var walk = new KeyWalk(root, prefix);
        while (true)
        {
            string? commonPrefix = null;
            foreach (var key in walk.After(after))
            {
                var delimiterAt = delimiter.Length == 0 ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
                if (delimiterAt < 0)
                {
                    yield return (key, false);
                    continue;
                }

                commonPrefix = key[..(delimiterAt + delimiter.Length)];
                break;
            }

            if (commonPrefix is null)
                yield break;
            yield return (commonPrefix, true);
            after = commonPrefix + AfterAll;
        }
    }

    private static XElement Contents(string key, ObjectFile file) => new(
        "Contents",
        new XElement("Key", key),
        new XElement("LastModified", S3Exchange.FormatTime(file.Metadata.LastModified)),
        new XElement("ETag", $"\"{file.Metadata.ETag}\""),
        new XElement("Size", file.Length),
        new XElement("StorageClass", "STANDARD"));

    private static string MakeToken(string after) => Convert.ToBase64String(Encoding.UTF8.GetBytes(after));

    private static string ReadToken(string token)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(token));
        }
        catch (FormatException)
        {
            throw S3Error.InvalidArgument("The continuation token provided is incorrect.");
        }
    }
}
