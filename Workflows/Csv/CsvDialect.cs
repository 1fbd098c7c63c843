using System.Text.Json;
using System.Text.Json.Serialization;

namespace Darkroom.Csv;

/// <summary>
/// The format of a file as found by validation, stored as JSON with the request so that later readers need not detect it again.
/// Columns are zero-based cell indexes.
/// </summary>
/// <param name="Delimiter">Comma, semicolon or tab.</param>
/// <param name="Encoding">Character encoding.</param>
/// <param name="Bom">Whether the file starts with a byte order mark; the output then does too.</param>
/// <param name="NewLine">The header's line ending; the output keeps each record's own.</param>
/// <param name="HeaderCells">Number of cells in the header; the output adds its columns after them.</param>
/// <param name="NamedColumns">Number of header cells up to the last named one; cells beyond it have no header.</param>
/// <param name="SerialColumn">Column of the serial number.</param>
/// <param name="NameColumn">Column of the product name.</param>
/// <param name="UrlsColumn">Column of the image URL list, or its first column if the list spills into further cells.</param>
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
    public string ToJson() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web);

    /// <exception cref="JsonException">The text was not written by <see cref="ToJson"/>.</exception>
    public static CsvDialect FromJson(string json) =>
        JsonSerializer.Deserialize<CsvDialect>(json, JsonSerializerOptions.Web) ?? throw new JsonException("No dialect.");
}

/// <summary>The encodings that a CSV may have. UTF-16 is recognised only by its byte order mark.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CsvEncoding>))]
public enum CsvEncoding
{
    [JsonStringEnumMemberName("utf-8")] Utf8,
    [JsonStringEnumMemberName("utf-16le")] Utf16LittleEndian,
    [JsonStringEnumMemberName("utf-16be")] Utf16BigEndian,
}
