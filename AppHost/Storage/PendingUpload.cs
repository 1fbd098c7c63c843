namespace Darkroom.AppHost.Storage;

/// <summary>What was said when a multipart upload began.</summary>
/// <param name="Algorithm">The checksum of its parts; null if none was asked for.</param>
internal sealed record PendingUpload(
    string Key, Dictionary<string, string> Headers, string? Algorithm, bool Composite, DateTimeOffset Initiated);
