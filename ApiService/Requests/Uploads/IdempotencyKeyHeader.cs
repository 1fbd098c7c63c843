using Darkroom.Api.Problems;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>The <c>Idempotency-Key</c> header.</summary>
internal static class IdempotencyKeyHeader
{
    public const string Name = "Idempotency-Key";
    private const int MaxLength = 255;

    /// <summary>The key, or null if the header is absent.</summary>
    /// <exception cref="ApiProblemException">The header is invalid.</exception>
    public static string? Read(IHeaderDictionary headers)
    {
        if (!headers.TryGetValue(Name, out var values))
            return null;
        return values is [{ Length: > 0 and <= MaxLength } key] && key.All(c => c is >= ' ' and <= '~')
            ? key
            : throw new ApiProblemException(UploadProblems.BadIdempotencyKey);
    }
}
