using Darkroom.Data;
using Darkroom.Requests;

namespace Darkroom.Api.Requests;

/// <summary>Request ids as clients write them.</summary>
internal static class RequestIdText
{
    public static bool TryParse(string text, out RequestId id)
    {
        var parsed = Guid.TryParseExact(text, "D", out var value);
        id = new RequestId(value);
        return parsed;
    }

    /// <summary>Null for text that is no id, as for an id that is unknown: both are the same 404.</summary>
    public static Task<Request?> FindAsync(this RequestStore requests, OwnerId owner, string id, CancellationToken cancellationToken) =>
        TryParse(id, out var parsed) ? requests.FindAsync(owner, parsed, cancellationToken) : Task.FromResult<Request?>(null);
}
