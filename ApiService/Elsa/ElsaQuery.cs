using System.Globalization;
using System.Reflection;

namespace Darkroom.Api.Elsa;

/// <summary>
/// A query as Studio writes it: case-insensitive names, lists as repeated names, and empty values for missing ones. Bind it as a
/// parameter of an endpoint.
/// </summary>
internal readonly struct ElsaQuery
{
    private readonly IQueryCollection _query;

    private ElsaQuery(IQueryCollection query) => _query = query;

    public static ValueTask<ElsaQuery> BindAsync(HttpContext context, ParameterInfo _) => ValueTask.FromResult(new ElsaQuery(context.Request.Query));

    /// <summary>The value, or null if it is absent or blank.</summary>
    public string? Text(string name) => _query[name].FirstOrDefault(value => !string.IsNullOrWhiteSpace(value))?.Trim();

    /// <summary>All values of a repeated name.</summary>
    public IReadOnlyList<string> List(string name) => [.. _query[name].OfType<string>().Where(value => value.Length > 0)];

    public bool Has(string name) => _query.ContainsKey(name);

    /// <summary>The number, or null if it is absent or not a number.</summary>
    public int? Number(string name) =>
        int.TryParse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    public bool? Flag(string name) => bool.TryParse(Text(name), out var flag) ? flag : null;
}
