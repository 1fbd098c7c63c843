using System.Globalization;

namespace Darkroom.Api.Requests;

/// <summary>What the lists have in common: a limit, one item more than asked to see whether there is a next page, and a link to it.</summary>
internal static class Paging
{
    /// <summary>The page's size, or null if what the client wrote is none.</summary>
    public static int? Limit(string? text, RequestsOptions options)
    {
        if (text is null) return options.DefaultPageSize;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit >= 1 && limit <= options.MaxPageSize
            ? limit
            : null;
    }

    /// <param name="items">Up to one more than the page holds.</param>
    /// <param name="size">What the page holds.</param>
    /// <param name="last">The page's last item if another page follows, else null.</param>
    public static IEnumerable<T> Cut<T>(IReadOnlyList<T> items, int size, out T? last)
        where T : class
    {
        last = items.Count > size ? items[size - 1] : null;
        return items.Take(size);
    }

    public static void LinkNext(HttpContext context, string address, (string Name, string? Value) kept, string? next) =>
        LinkNext(context, address, [kept], next);

    public static void LinkNext(HttpContext context, string address, (string Name, string? Value)[] kept, string? next)
    {
        if (next is null) return;
        var query = QueryString.Create(kept
            .Where(parameter => parameter.Value is not null)
            .Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value))
            .Append(KeyValuePair.Create("cursor", (string?)next)));
        context.Response.Headers.Link = $"<{address}{query.ToUriComponent()}>; rel=\"next\"";
    }
}
