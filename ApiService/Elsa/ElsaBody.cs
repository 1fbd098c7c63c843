using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Api.Problems;

namespace Darkroom.Api.Elsa;

/// <summary>Bodies as Studio sends them. What is wrong with one is said in the form that Studio shows.</summary>
internal static class ElsaBody
{
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>The body, an object; an empty one for no body at all.</summary>
    /// <exception cref="ApiProblemException">It is too large, or no JSON object.</exception>
    public static async Task<JsonObject> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (request.ContentLength == 0) return [];
        try
        {
            return Object(await JsonNode.ParseAsync(request.Body, documentOptions: s_strict, cancellationToken: cancellation));
        }
        catch (JsonException e)
        {
            throw new ApiProblemException(NotJson, e);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw new ApiProblemException(TooLarge, e);
        }
    }

    /// <summary>The object in these bytes.</summary>
    /// <exception cref="ApiProblemException">There is none.</exception>
    public static JsonObject Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return Object(JsonNode.Parse(json, documentOptions: s_strict));
        }
        catch (JsonException e)
        {
            throw new ApiProblemException(NotJson, e);
        }
    }

    /// <summary>The texts of a list, or none if it is absent.</summary>
    public static IReadOnlyList<string> Texts(this JsonObject body, string name) =>
        body[name] is JsonArray list ? [.. list.OfType<JsonValue>().Select(item => item.TryGetValue<string>(out var text) ? text : null).OfType<string>()] : [];

    public static ApiProblem TooLarge { get; } = ElsaProblems.Refused("too_large", "The definition is larger than this server takes (setting Server:MaxBodyBytes).");

    private static ApiProblem NotJson { get; } = ElsaProblems.Refused("invalid_json", "The body is not a JSON object.");

    private static JsonObject Object(JsonNode? json) => json as JsonObject ?? throw new ApiProblemException(NotJson);
}
