using System.Text.Json.Serialization;

namespace Darkroom.AppHost.Storage;

/// <summary>What is kept with an object's bytes.</summary>
internal sealed record ObjectMetadata
{
    public required string ETag { get; init; }
    public required DateTimeOffset LastModified { get; init; }

    /// <summary>Headers to give back with it, lower-case names: content type and the like, <c>x-amz-meta-*</c>.</summary>
    public required Dictionary<string, string> Headers { get; init; }

    public StoredChecksum? Checksum { get; init; }

    /// <summary>The multipart upload that made it: a repeated completion of the same upload is then known as such.</summary>
    public string? UploadId { get; init; }
}

/// <param name="Algorithm">Lower case, as in the header's name.</param>
/// <param name="Value">Base64; with <c>-N</c> if composed of N parts' checksums.</param>
internal sealed record StoredChecksum(string Algorithm, string Value, bool Composite);

[JsonSerializable(typeof(ObjectMetadata))]
[JsonSerializable(typeof(PendingUpload))]
internal sealed partial class StorageJson : JsonSerializerContext;
