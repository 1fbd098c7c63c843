using System.Text.Json.Serialization;

namespace Darkroom.Images;

/// <summary>
/// The supported input and output formats. A file's format is detected from its first bytes, never from its name or Content-Type.
/// </summary>
[JsonConverter(typeof(JsonStringEnumConverter<ImageFormat>))]
public enum ImageFormat
{
    [JsonStringEnumMemberName("jpeg")] Jpeg = 1,
    [JsonStringEnumMemberName("png")] Png,
    [JsonStringEnumMemberName("webp")] Webp,
    [JsonStringEnumMemberName("gif")] Gif,
    [JsonStringEnumMemberName("tiff")] Tiff,
    [JsonStringEnumMemberName("avif")] Avif,
}

/// <summary>Extensions and content types of the formats.</summary>
public static class ImageFormats
{
    /// <summary>Extension for object keys, without the dot.</summary>
    public static string Extension(this ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => "jpg",
        ImageFormat.Png => "png",
        ImageFormat.Webp => "webp",
        ImageFormat.Gif => "gif",
        ImageFormat.Tiff => "tiff",
        ImageFormat.Avif => "avif",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    /// <summary>The content type under which an object of this format is stored.</summary>
    public static string ContentType(this ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => "image/jpeg",
        ImageFormat.Png => "image/png",
        ImageFormat.Webp => "image/webp",
        ImageFormat.Gif => "image/gif",
        ImageFormat.Tiff => "image/tiff",
        ImageFormat.Avif => "image/avif",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };
}
