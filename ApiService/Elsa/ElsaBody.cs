using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Api.Problems;
using Darkroom.Api.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Elsa;

/// <summary>Reads bodies as Studio sends them. Errors are reported in the form that Studio shows.</summary>
internal static class ElsaBody
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The body, an object; an empty one if there is no body.</summary>
    /// <exception cref="ApiProblemException">It is too large, or not a JSON object.</exception>
    public static async Task<JsonObject> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        // The server's own limit would close the connection while Studio is still sending, and Studio would never see why.
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
        var maxBytes = request.HttpContext.RequestServices.GetRequiredService<IOptions<ServerOptions>>().Value.MaxBodyBytes;
        return request.ContentLength == 0 ? [] : await ReadAsync(request.Body, maxBytes, cancellationToken);
    }

    /// <summary>The object in this stream; reads no more than the limit.</summary>
    /// <exception cref="ApiProblemException">It is too large, or not a JSON object.</exception>
    public static async Task<JsonObject> ReadAsync(Stream stream, long maxBytes, CancellationToken cancellationToken) =>
        (await ReadCountedAsync(stream, maxBytes, cancellationToken)).Object;

    /// <summary>The same, plus how many bytes were read.</summary>
    /// <exception cref="ApiProblemException">It is too large, or not a JSON object.</exception>
    public static async Task<(JsonObject Object, long Bytes)> ReadCountedAsync(Stream stream, long maxBytes, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            if (bytes.Length + read > maxBytes)
                throw new ApiProblemException(TooLarge);
            bytes.Write(buffer.AsSpan(0, read));
        }

        var json = bytes.GetBuffer().AsSpan(0, (int)bytes.Length);
        return (Parse(json.StartsWith(Encoding.UTF8.Preamble) ? json[Encoding.UTF8.Preamble.Length..] : json), bytes.Length);
    }

    private static JsonObject Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return Object(JsonNode.Parse(json, documentOptions: Strict));
        }
        catch (JsonException e)
        {
            throw new ApiProblemException(NotJson, e);
        }
    }

    /// <summary>The strings in a list; empty if it is absent.</summary>
    public static IReadOnlyList<string> Texts(this JsonObject body, string name) =>
        body[name] is JsonArray list ? [.. list.OfType<JsonValue>().Select(item => item.TryGetValue<string>(out var text) ? text : null).OfType<string>()] : [];

    public static ApiProblem TooLarge { get; } = ElsaProblems.Refused("too_large", "The definition is larger than this server takes (setting Server:MaxBodyBytes).");

    private static ApiProblem NotJson { get; } = ElsaProblems.Refused("invalid_json", "The body is not a JSON object.");

    private static JsonObject Object(JsonNode? json) => json as JsonObject ?? throw new ApiProblemException(NotJson);
}
