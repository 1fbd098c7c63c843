using System.Text.Json.Serialization;

namespace Darkroom.Csv;

/// <summary>The encodings that a CSV may have. UTF-16 is recognised by its byte order mark only.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CsvEncoding>))]
public enum CsvEncoding
{
    [JsonStringEnumMemberName("utf-8")] Utf8,
    [JsonStringEnumMemberName("utf-16le")] Utf16LittleEndian,
    [JsonStringEnumMemberName("utf-16be")] Utf16BigEndian,
}
