using System.Text.Json;

namespace Darkroom.Data;

/// <summary>
/// JSON from outside on its way into a workflow's state. The database takes neither every text nor every number that JSON can spell,
/// and what is nested too deeply is written but never read again.
/// </summary>
internal static class StorableJson
{
    // The state is read to a depth of 64, and has its values some levels below its root.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32 };

    private const int LongestNumber = 400;

    /// <summary>The value, rid of characters that cannot be kept; null if this is no JSON, or none that can be kept.</summary>
    public static JsonElement? TryParse(string json)
    {
        try
        {
            // Only an escape can spell what is not already gone from the text.
            var clean = json.Contains("\\u", StringComparison.Ordinal) ? PostgresText.CleanJson(json) ?? "" : json;
            using var document = JsonDocument.Parse(clean, Options);
            return HasNumbersToKeep(document.RootElement) ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool HasNumbersToKeep(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().All(property => HasNumbersToKeep(property.Value)),
        JsonValueKind.Array => value.EnumerateArray().All(HasNumbersToKeep),
        JsonValueKind.Number => CanBeKept(value.GetRawText(), value.GetDouble()),
        _ => true,
    };

    private static bool CanBeKept(string digits, double number) =>
        digits.Length <= LongestNumber && double.IsFinite(number) && (number != 0 || !digits.Contains('e', StringComparison.OrdinalIgnoreCase));
}
