using System.Globalization;

namespace Darkroom.Api.Requests;

/// <summary>Shared by the list endpoints: the limit, the page cut from one extra item that tells whether another page follows, and the link to that page.</summary>
internal static class Paging
{
    /// <summary>The page size, or null if the parameter is not valid.</summary>
    public static int? ParseLimit(string? text, RequestsOptions options)
    {
        if (text is null)
            return options.DefaultPageSize;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit >= 1 && limit <= options.MaxPageSize
            ? limit
            : null;
    }

    /// <param name="items">Up to one item more than the page size.</param>
    /// <param name="size">The page size.</param>
    /// <param name="last">The last item of the page if another page follows, otherwise null.</param>
    public static IEnumerable<T> TakePage<T>(IReadOnlyList<T> items, int size, out T? last)
        where T : class
    {
        last = items.Count > size ? items[size - 1] : null;
        return items.Take(size);
    }

    public static void AddNextLink(HttpContext context, string address, (string Name, string? Value) parameter, string? next) =>
        AddNextLink(context, address, [parameter], next);

    public static void AddNextLink(HttpContext context, string address, (string Name, string? Value)[] parameters, string? next)
    {
        if (next is null)
            return;
        var query = QueryString.Create(parameters
            .Where(parameter => parameter.Value is not null)
            .Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value))
            .Append(KeyValuePair.Create("cursor", (string?)next)));
        context.Response.Headers.Link = $"<{address}{query.ToUriComponent()}>; rel=\"next\"";
    }
}
