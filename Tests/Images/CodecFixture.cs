using Darkroom.Images;
using Microsoft.Extensions.Options;
using NetVips;

namespace Darkroom.Tests.Images;

/// <summary>The codec as the worker runs it, with shorthand for tests.</summary>
public sealed class CodecFixture : IDisposable
{
    private readonly CodecThreads _threads;

    public CodecFixture()
    {
        var options = Microsoft.Extensions.Options.Options.Create(new ImageOptions { CodecSlots = 2, AvifEffort = 0 });
        _threads = new CodecThreads(options);
        Options = options.Value;
        Codec = new VipsCodec(new PixelBudget(options), _threads, TimeProvider.System, options);
    }

    public ImageOptions Options { get; }

    public IImageCodec Codec { get; }

    public static ImagePlan Compress { get; } = ImagePlan.Empty.Add(new ImageStep.Compress(50));

    public async Task<(byte[] Output, CodecReport Report)> RunAsync(byte[] file, ImagePlan? plan = null)
    {
        using var output = new PooledBuffer();
        using var source = new PooledBuffer();
        source.OpenWrite().Write(file);
        var report = await Codec.RunAsync(source.OpenRead(), plan ?? Compress, output.OpenWrite(), CancellationToken.None);
        return (output.Span.ToArray(), report);
    }

    public async Task<ImageFailure> FailureAsync(byte[] file, ImagePlan? plan = null) =>
        (await Assert.ThrowsAsync<ImageFailedException>(() => RunAsync(file, plan))).Failure;

    /// <summary>Decodes an output like any other reader.</summary>
    internal static Image Decode(byte[] file, bool allFrames = false) => FormatSniffer.Sniff(file) switch
    {
        ImageFormat.Jpeg => Image.JpegloadBuffer(file, failOn: Enums.FailOn.Error),
        ImageFormat.Png => Image.PngloadBuffer(file, failOn: Enums.FailOn.Error),
        ImageFormat.Webp => Image.WebploadBuffer(file, n: allFrames ? -1 : 1, failOn: Enums.FailOn.Error),
        ImageFormat.Gif => Image.GifloadBuffer(file, n: allFrames ? -1 : 1, failOn: Enums.FailOn.Error),
        ImageFormat.Tiff => Image.TiffloadBuffer(file, n: allFrames ? -1 : 1, failOn: Enums.FailOn.Error),
        _ => Image.HeifloadBuffer(file, failOn: Enums.FailOn.Error),
    };

    public void Dispose() => _threads.Dispose();
}
