namespace Darkroom.Csv;

/// <summary>What became of one row's images.</summary>
/// <param name="Row">As in <see cref="ProductRow"/>.</param>
/// <param name="Images">One for each URL of the row, in its sequence.</param>
public sealed record RowOutcome(int Row, IReadOnlyList<ImageResult> Images);

/// <summary>What became of one image: an address, or a code that says why there is none.</summary>
public readonly record struct ImageResult
{
    private ImageResult(string? url, string? errorCode) => (Url, ErrorCode) = (url, errorCode);

    public string? Url { get; }
    public string? ErrorCode { get; }

    public static ImageResult Succeeded(string url) => new(url, null);
    public static ImageResult Failed(string errorCode) => new(null, errorCode);
}
