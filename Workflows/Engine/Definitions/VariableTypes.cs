using System.Globalization;
using System.Text.Json;
using Darkroom.Data;

namespace Darkroom.Engine.Definitions;

/// <summary>The types that a variable may have, by Elsa's aliases, and how values are converted to them.</summary>
internal static class VariableTypes
{
    private enum Kind
    {
        Text,
        Whole,
        Number,
        Flag,
        Any,
    }

    private static readonly Dictionary<string, Kind> Kinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["String"] = Kind.Text,
        ["Char"] = Kind.Text,
        ["Guid"] = Kind.Text,
        ["Uri"] = Kind.Text,
        ["DateTime"] = Kind.Text,
        ["DateTimeOffset"] = Kind.Text,
        ["DateOnly"] = Kind.Text,
        ["TimeOnly"] = Kind.Text,
        ["TimeSpan"] = Kind.Text,
        ["Byte"] = Kind.Whole,
        ["Int16"] = Kind.Whole,
        ["Int32"] = Kind.Whole,
        ["Int64"] = Kind.Whole,
        ["Short"] = Kind.Whole,
        ["Long"] = Kind.Whole,
        ["Single"] = Kind.Number,
        ["Double"] = Kind.Number,
        ["Decimal"] = Kind.Number,
        ["Float"] = Kind.Number,
        ["Boolean"] = Kind.Flag,
        ["Bool"] = Kind.Flag,
    };

    /// <summary>Converts the value to the variable's type; text is parsed as Studio writes values.</summary>
    /// <exception cref="WorkflowDefinitionException">The value is not of that type.</exception>
    public static JsonElement Convert(VariableNode variable, JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return JsonSerializer.SerializeToElement<string?>(null);
        var kind = variable.IsArray ? Kind.Any : Kinds.GetValueOrDefault(variable.TypeName, Kind.Any);
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        if (text.Length == 0 && kind != Kind.Text)
            return JsonSerializer.SerializeToElement<string?>(null);
        return kind switch
        {
            Kind.Text => JsonSerializer.SerializeToElement(PostgresText.Clean(text)),
            Kind.Whole when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonSerializer.SerializeToElement(whole),
            Kind.Number when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => JsonSerializer.SerializeToElement(number),
            Kind.Flag when bool.TryParse(text, out var flag) => JsonSerializer.SerializeToElement(flag),
            Kind.Any => AnyOf(variable, value, text),
            _ => throw new WorkflowDefinitionException($"Variable {variable.Name} is of type {variable.TypeName}; '{Shorten(text)}' is none."),
        };
    }

    private static JsonElement AnyOf(VariableNode variable, JsonElement value, string text)
    {
        var read = StorableJson.TryParse(text) ?? (value.ValueKind == JsonValueKind.String
            ? JsonSerializer.SerializeToElement(PostgresText.Clean(text))
            : throw new WorkflowDefinitionException($"Variable {variable.Name} cannot hold '{Shorten(text)}'."));
        if (variable.IsArray && read.ValueKind != JsonValueKind.Array)
            throw new WorkflowDefinitionException($"Variable {variable.Name} is a list; '{Shorten(text)}' is none.");
        return read;
    }

    private static string Shorten(string text) => text.Length <= 80 ? text : text[..80] + "...";
}
