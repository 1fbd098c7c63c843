using System.ComponentModel;
using Darkroom.Requests;
using Darkroom.Storage;

namespace Darkroom.Api.Requests;

/// <summary>One image of a request as the API shows it.</summary>
internal sealed record ImageView
{
    [Description("Number of the data row in the CSV, from 1.")]
    public required int Row { get; init; }

    [Description("Position in the row's list of URLs, from 1.")]
    public required int Position { get; init; }

    [Description("As written in the CSV.")]
    public required string Serial { get; init; }

    public required string ProductName { get; init; }
    public required string Url { get; init; }

    [Description("pending, succeeded, failed, or cancelled.")]
    public required string State { get; init; }

    [Description("How many times processing was started.")]
    public required int Attempts { get; init; }

    public required ErrorView? Error { get; init; }
    public required OriginalView? Original { get; init; }
    public required OutputView? Output { get; init; }

    public static ImageView From(RequestImage image, RequestStatus request, ImageLinks links) => new()
    {
        Row = image.Place.Row,
        Position = image.Place.Position,
        Serial = image.Serial,
        ProductName = image.ProductName,
        Url = image.Url,
        State = ImageStates.Shown(image.State, request),
        Attempts = image.Attempts,
        Error = image.ErrorCode is { } code ? new ErrorView(code, image.ErrorMessage ?? code) : null,
        Original = image.Original is { } original
            ? new OriginalView(original.Type, original.Bytes, original.Width, original.Height, Hex(original.Sha256))
            : null,
        Output = image.Output is { } output
            ? new OutputView(output.Type, output.Bytes, output.Width, output.Height, Hex(output.Sha256), links.For(image.Id, output.Key))
            : null,
    };

    private static string? Hex(byte[]? hash) => hash is null ? null : Convert.ToHexStringLower(hash);
}

internal sealed record OriginalView(string? Type, long? Bytes, int? Width, int? Height, string? Sha256);

/// <param name="Url">Opens without an API key.</param>
internal sealed record OutputView(string? Type, long? Bytes, int? Width, int? Height, string? Sha256, string Url);

/// <param name="NextCursor">Cursor of the next page; null on the last page.</param>
internal sealed record ImagePageView(IReadOnlyList<ImageView> Items, string? NextCursor);
