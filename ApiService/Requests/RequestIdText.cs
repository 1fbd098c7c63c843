using Darkroom.Data;
using Darkroom.Requests;

namespace Darkroom.Api.Requests;

/// <summary>Parses request ids from URLs.</summary>
internal static class RequestIdText
{
    public static bool TryParse(string text, out RequestId id)
    {
        var parsed = Guid.TryParseExact(text, "D", out var value);
        id = new RequestId(value);
        return parsed;
    }

    /// <summary>Null for a malformed id as for an unknown one: both become the same 404.</summary>
    public static Task<Request?> FindAsync(this RequestStore requests, OwnerId owner, string id, CancellationToken cancellationToken) =>
        TryParse(id, out var parsed) ? requests.FindAsync(owner, parsed, cancellationToken) : Task.FromResult<Request?>(null);
}
