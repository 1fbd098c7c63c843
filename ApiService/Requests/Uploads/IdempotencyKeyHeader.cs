using Darkroom.Api.Problems;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>The <c>Idempotency-Key</c> header.</summary>
internal static class IdempotencyKeyHeader
{
    public const string Name = "Idempotency-Key";
    private const int MaxLength = 255;

    /// <summary>Null if there is none.</summary>
    /// <exception cref="ApiProblemException">It is no key.</exception>
    public static string? Read(IHeaderDictionary headers)
    {
        if (!headers.TryGetValue(Name, out var values)) return null;
        return values is [{ Length: > 0 and <= MaxLength } key] && key.All(c => c is >= ' ' and <= '~')
            ? key
            : throw new ApiProblemException(UploadProblems.BadIdempotencyKey);
    }
}
