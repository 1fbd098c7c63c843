using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Darkroom.Data;
using Darkroom.Requests;

namespace Darkroom.Webhooks;

/// <summary>A webhook's JSON body: <c>type</c>, <c>timestamp</c> and <c>data</c>, as Standard Webhooks recommends.</summary>
internal static class WebhookBody
{
    /// <summary>
    /// Maximum size of the image list, bytes; a larger one is replaced by the link. Receivers commonly accept up to 1 MB.
    /// </summary>
    private const int MaxImageBytes = 768 * 1024;

    // The body is never embedded in HTML, so URLs can stay readable.
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Type(RequestStatus status) => "request." + status.ToText();

    /// <param name="images">All images of the request, or null if there are too many for the body.</param>
    /// <param name="api">The API's public base URL, without a trailing slash.</param>
    public static string Render(Request request, string api, IReadOnlyList<WebhookImage>? images, JsonElement? payload)
    {
        var list = images is null ? null : RenderImages(images, request.Status);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            var occurredAt = request.FinishedAt ?? request.UpdatedAt;
            json.WriteStartObject();
            json.WriteString("type", Type(request.Status));
            json.WriteString("timestamp", occurredAt);
            json.WriteStartObject("data");
            WriteRequest(json, request, occurredAt);
            WriteLinks(json, request, api);
            json.WritePropertyName("images");
            json.WriteRawValue(list ?? "[]"u8, skipInputValidation: true);
            json.WriteBoolean("images_truncated", list is null);
            if (payload is { ValueKind: not JsonValueKind.Undefined } extra)
            {
                json.WritePropertyName("payload");
                extra.WriteTo(json);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    // The same names as in the API's request resource.
    private static void WriteRequest(Utf8JsonWriter json, Request request, DateTimeOffset occurredAt)
    {
        json.WriteString("request_id", request.Id.Value);
        json.WriteString("status", request.Status.ToText());
        json.WriteNumber("run", request.Run);
        json.WriteString("occurred_at", occurredAt);
        json.WriteString("file_name", request.FileName);
        json.WriteNumber("no_of_products", request.NoOfProducts);
        json.WriteNumber("no_of_images", request.NoOfImages);
        json.WriteNumber("images_succeeded", request.ImagesSucceeded);
        json.WriteNumber("images_failed", request.ImagesFailed);
        json.WriteNumber("images_unfinished", request.ImagesUnfinished);
        json.WriteNumber("processing_percentage", request.ProcessingPercentage);
        json.WriteStartObject("bytes");
        json.WriteNumber("in", request.BytesIn);
        json.WriteNumber("out", request.BytesOut);
        json.WriteNumber("saved", request.BytesIn - request.BytesOut);
        json.WriteEndObject();
        WriteError(json, request.ErrorCode, request.ErrorMessage);
        json.WriteString("created_at", request.CreatedAt);
        WriteTime(json, "started_at", request.StartedAt);
        WriteTime(json, "finished_at", request.FinishedAt);
    }

    private static void WriteLinks(Utf8JsonWriter json, Request request, string api)
    {
        var self = $"{api}/v1/requests/{request.Id}";
        json.WriteStartObject("links");
        json.WriteString("self", self);
        json.WriteString("images", $"{self}/images");
        json.WriteString("input_csv", $"{self}/input.csv");
        json.WriteString("output_csv", request.OutputPath is null ? null : $"{self}/output.csv");
        json.WriteString("webhooks", $"{self}/webhooks");
        json.WriteEndObject();
    }

    private static byte[]? RenderImages(IReadOnlyList<WebhookImage> images, RequestStatus status)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, WriterOptions);
        json.WriteStartArray();
        foreach (var image in images)
        {
            json.WriteStartObject();
            json.WriteNumber("row", image.Place.Row);
            json.WriteNumber("position", image.Place.Position);
            json.WriteString("serial", image.Serial);
            json.WriteString("product_name", image.ProductName);
            json.WriteString("url", image.Url);
            json.WriteString("state", ImageStates.Shown(image.State, status));
            json.WriteString("output_url", image.OutputUrl);
            WriteError(json, image.ErrorCode, image.ErrorMessage);
            json.WriteEndObject();
            if (json.BytesCommitted + json.BytesPending > MaxImageBytes)
                return null;
        }

        json.WriteEndArray();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteError(Utf8JsonWriter json, string? code, string? message)
    {
        if (code is null)
        {
            json.WriteNull("error");
            return;
        }

        json.WriteStartObject("error");
        json.WriteString("code", code);
        json.WriteString("message", message ?? code);
        json.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } known)
            json.WriteString(name, known);
        else
            json.WriteNull(name);
    }
}

/// <summary>An image in a webhook's body.</summary>
/// <param name="State">The state as stored in the database.</param>
/// <param name="OutputUrl">Can be opened without credentials; null unless the image succeeded.</param>
internal sealed record WebhookImage(
    ImagePlace Place, string Serial, string ProductName, string Url, string State, string? OutputUrl, string? ErrorCode, string? ErrorMessage);
