using Darkroom.Data;
using Darkroom.Images.Containers;
using Microsoft.Extensions.Options;

namespace Darkroom.Images.Decoders;

/// <summary>
/// Executes plans: in this process those that the JPEG codec can, the others in the decoders. Before that it reads the file's structure, in
/// managed code: what the limits refuse goes no further.
/// </summary>
internal sealed class DecoderCodec(PixelBudget budget, DecoderPool decoders, IOptions<ImageOptions> options) : IImageCodec
{
    public async Task<CodecReport> RunAsync(
        OwnerId owner, ReadOnlyMemory<byte> file, ImagePlan plan, bool isSuspect, PooledBuffer result, CancellationToken cancellationToken)
    {
        var header = ImageContainers.Inspect(FormatSniffer.Recognise(file.Span), file.Span);
        if (header.CheckLimits(options.Value) is { } failure)
            throw new ImageFailedException(failure);
        using (await budget.EnterAsync(owner, header.Pixels, cancellationToken))
            return await decoders.RunAsync(file, isSuspect ? null : header, plan, result, cancellationToken);
    }
}
