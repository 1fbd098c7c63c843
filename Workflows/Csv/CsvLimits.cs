using System.ComponentModel.DataAnnotations;

namespace Darkroom.Csv;

/// <summary>
/// How large a CSV may be before it is rejected. Section <c>Csv</c>. Lengths are in characters (UTF-16 code units), because they cost
/// memory; the file size is in bytes, because it costs storage.
/// </summary>
public sealed class CsvLimits : IValidatableObject
{
    /// <summary>Size of the whole file, bytes. Default 512 MiB: a million rows of 500 bytes.</summary>
    [Range(1_024, 64L * 1024 * 1024 * 1024)]
    public long MaxFileBytes { get; set; } = 512L * 1024 * 1024;

    /// <summary>Data rows in one file. Default 1,000,000, the size that the output, the queue and the web page are tested with.</summary>
    [Range(1, 100_000_000)]
    public int MaxRows { get; set; } = 1_000_000;

    /// <summary>Image URLs in one file. Default 5,000,000: five per row in the largest file.</summary>
    [Range(1, 1_000_000_000)]
    public int MaxImages { get; set; } = 5_000_000;

    /// <summary>Image URLs in one row. Default 1,000: more suggests a broken export.</summary>
    [Range(1, 100_000)]
    public int MaxImagesPerRow { get; set; } = 1_000;

    /// <summary>Length of one cell, characters. Default 262,144: 1,000 URLs of ordinary length, or a long description.</summary>
    [Range(256, 16 * 1024 * 1024)]
    public int MaxCellLength { get; set; } = 256 * 1024;

    /// <summary>
    /// Length of one record including its line endings, characters. Default 1,048,576. The reader holds one record at a time, so this
    /// bounds its memory.
    /// </summary>
    [Range(1_024, 64 * 1024 * 1024)]
    public int MaxRecordLength { get; set; } = 1024 * 1024;

    /// <summary>
    /// Cells in one record. Default 2,048: about twice <see cref="MaxImagesPerRow"/>, because an unquoted list spills one URL into each
    /// cell.
    /// </summary>
    [Range(3, 100_000)]
    public int MaxColumns { get; set; } = 2_048;

    /// <summary>Length of one URL, characters. Default 2,048, which browsers, proxies and object stores all accept.</summary>
    [Range(16, 16_384)]
    public int MaxUrlLength { get; set; } = 2_048;

    /// <summary>
    /// Validation errors listed in a response; further ones are only counted. Default 100: more than anyone fixes before trying again.
    /// </summary>
    [Range(1, 10_000)]
    public int MaxListedErrors { get; set; } = 100;

    /// <summary>For files that were accepted earlier, possibly under wider limits than the current ones.</summary>
    internal static CsvLimits Widest => new()
    {
        MaxFileBytes = long.MaxValue,
        MaxRows = int.MaxValue,
        MaxImages = int.MaxValue,
        MaxImagesPerRow = 100_000,
        MaxCellLength = 16 * 1024 * 1024,
        MaxRecordLength = 64 * 1024 * 1024,
        MaxColumns = 100_000,
    };

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxUrlLength > MaxCellLength)
            yield return Pair(nameof(MaxUrlLength), MaxUrlLength, nameof(MaxCellLength), MaxCellLength);
        if (MaxCellLength > MaxRecordLength)
            yield return Pair(nameof(MaxCellLength), MaxCellLength, nameof(MaxRecordLength), MaxRecordLength);
        if (MaxImagesPerRow > MaxImages)
            yield return Pair(nameof(MaxImagesPerRow), MaxImagesPerRow, nameof(MaxImages), MaxImages);
    }

    private static ValidationResult Pair(string smaller, int value, string larger, int limit) =>
        new($"Csv:{smaller} ({value}) must not be larger than Csv:{larger} ({limit}).", [smaller, larger]);
}
