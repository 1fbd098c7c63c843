using System.Text.Json;

namespace Darkroom.Data;

/// <summary>
/// Parses external JSON that will become part of a workflow's state. Postgres cannot store every string or number that JSON allows,
/// and a value that is nested too deeply could be written but not read back.
/// </summary>
internal static class StorableJson
{
    // The state is read with a maximum depth of 64, and values sit a few levels below its root.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32 };

    private const int MaxNumberLength = 400;

    /// <summary>The value without characters that cannot be stored; null if the text is not JSON or cannot be stored.</summary>
    public static JsonElement? TryParse(string json)
    {
        try
        {
            // The text itself is already clean; only escapes can still produce bad characters.
            var clean = json.Contains("\\u", StringComparison.Ordinal) ? PostgresText.CleanJson(json) ?? "" : json;
            using var document = JsonDocument.Parse(clean, Options);
            return HasStorableNumbers(document.RootElement) ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool HasStorableNumbers(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().All(property => HasStorableNumbers(property.Value)),
        JsonValueKind.Array => value.EnumerateArray().All(HasStorableNumbers),
        JsonValueKind.Number => IsStorable(value.GetRawText(), value.GetDouble()),
        _ => true,
    };

    private static bool IsStorable(string digits, double number) =>
        digits.Length <= MaxNumberLength && double.IsFinite(number) && (number != 0 || !digits.Contains('e', StringComparison.OrdinalIgnoreCase));
}
