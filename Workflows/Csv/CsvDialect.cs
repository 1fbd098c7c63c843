using System.Text.Json;
using System.Text.Json.Serialization;

namespace Darkroom.Csv;

/// <summary>
/// What judging a file has found out about its form, kept as JSON with the request so that later readers of the same object need not
/// find out again. Columns are zero-based indexes of cells.
/// </summary>
/// <param name="Delimiter">Comma, semicolon or tab.</param>
/// <param name="Encoding">How its bytes become characters.</param>
/// <param name="Bom">Whether it starts with a byte order mark; its output does then too.</param>
/// <param name="NewLine">The header's line end; each record is copied with its own.</param>
/// <param name="HeaderCells">Cells of the header record: where the cells that we add stand.</param>
/// <param name="NamedColumns">Header cells up to the last one that has a name: cells beyond it stand under no header.</param>
/// <param name="SerialColumn">Where the serial number is.</param>
/// <param name="NameColumn">Where the product's name is.</param>
/// <param name="UrlsColumn">Where the list of image URLs is, or begins if it spills.</param>
public sealed record CsvDialect(
    char Delimiter,
    CsvEncoding Encoding,
    bool Bom,
    string NewLine,
    int HeaderCells,
    int NamedColumns,
    int SerialColumn,
    int NameColumn,
    int UrlsColumn)
{
    /// <summary>As it is kept with the request.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web);

    /// <exception cref="JsonException">Not written by <see cref="ToJson"/>.</exception>
    public static CsvDialect FromJson(string json) =>
        JsonSerializer.Deserialize<CsvDialect>(json, JsonSerializerOptions.Web) ?? throw new JsonException("No dialect.");
}

/// <summary>The encodings that a CSV may have. UTF-16 is recognised by its byte order mark only.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CsvEncoding>))]
public enum CsvEncoding
{
    [JsonStringEnumMemberName("utf-8")] Utf8,
    [JsonStringEnumMemberName("utf-16le")] Utf16LittleEndian,
    [JsonStringEnumMemberName("utf-16be")] Utf16BigEndian,
}
