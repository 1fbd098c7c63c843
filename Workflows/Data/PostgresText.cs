using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Darkroom.Data;

/// <summary>Cleans text of what Postgres cannot store: removes U+0000 and replaces lone surrogates.</summary>
internal static class PostgresText
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Clean(string text)
    {
        if (IsClean(text))
            return text;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            if (rune.Value != 0)
                clean.Append(rune.ToString());
        return clean.ToString();
    }

    /// <summary>Cleans every string in a JSON document; null if the text is not JSON.</summary>
    public static string? CleanJson(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(Clean(json));
            using var buffer = new MemoryStream(json.Length);
            using (var writer = new Utf8JsonWriter(buffer, Plain))
                Copy(document.RootElement, writer);
            return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsClean(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0')
                return false;
            if (!char.IsSurrogate(text[i]))
                continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]))
                return false;
            i++;
        }

        return true;
    }

    private static void Copy(JsonElement element, Utf8JsonWriter writer)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in element.EnumerateObject())
                {
                    writer.WritePropertyName(Text(() => property.Name));
                    Copy(property.Value, writer);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                    Copy(item, writer);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Text(() => element.GetString()!));
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    /// <summary>Reading a string whose escapes form a lone surrogate throws.</summary>
    private static string Text(Func<string> read)
    {
        try
        {
            return Clean(read());
        }
        catch (InvalidOperationException)
        {
            return "\uFFFD";
        }
    }
}
