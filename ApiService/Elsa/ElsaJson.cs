using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Darkroom.Api.Elsa;

/// <summary>JSON as Studio expects it: camelCase names, enums by name, nulls written.</summary>
internal static class ElsaJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A response in Studio's JSON.</summary>
    public static JsonHttpResult<T> Ok<T>(T value) => TypedResults.Json(value, Options);

    /// <summary>The list format of everything that is not paged.</summary>
    public static JsonHttpResult<ElsaList<T>> List<T>(params IReadOnlyList<T> items) => Ok(new ElsaList<T>(items, items.Count));
}

internal sealed record ElsaList<T>(IReadOnlyList<T> Items, int Count);
