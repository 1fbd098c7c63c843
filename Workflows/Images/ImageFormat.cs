using System.Text.Json.Serialization;

namespace Darkroom.Images;

/// <summary>The formats that are read and written. What a file is, is told by its first bytes, never by its name or header.</summary>
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

/// <summary>The names of a format in keys and headers.</summary>
public static class ImageFormats
{
    /// <summary>Extension for object keys, without a dot.</summary>
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
