using Darkroom.Data;
using Darkroom.Images.Containers;
using Microsoft.Extensions.Options;

namespace Darkroom.Images.Decoders;

/// <summary>
/// Executes plans in the decoders. Before that it reads the file's structure, in managed code: what the limits refuse reaches no decoder.
/// </summary>
internal sealed class DecoderCodec(PixelBudget budget, DecoderPool decoders, IOptions<ImageOptions> options) : IImageCodec
{
    public async Task<CodecReport> RunAsync(
        OwnerId owner, ReadOnlyMemory<byte> file, ImagePlan plan, PooledBuffer result, CancellationToken cancellationToken)
    {
        var header = ImageContainers.Inspect(FormatSniffer.Recognise(file.Span), file.Span);
        if (header.CheckLimits(options.Value) is { } failure)
            throw new ImageFailedException(failure);
        using (await budget.EnterAsync(owner, header.Pixels, cancellationToken))
            return await decoders.RunAsync(file, plan, result, cancellationToken);
    }
}
