using Darkroom.Images;
using Darkroom.Images.Decoders;
using Darkroom.Images.Vips;
using Darkroom.Tests.Images.Decoders;
using NetVips;

namespace Darkroom.Tests.Images;

/// <summary>The codec as the worker runs it, decoders included, with shorthand for tests.</summary>
public abstract class CodecFixture : IAsyncLifetime
{
    private readonly DecoderPool _decoders;

    private protected CodecFixture(ImageLibrary library)
    {
        // The tests decode too, and must not cache what they decode.
        VipsRuntime.EnsureStarted();
        var options = Microsoft.Extensions.Options.Options.Create(new ImageOptions { CodecSlots = 2, AvifEffort = 0, Codec = library });
        _decoders = TestDecoders.Create(options.Value);
        Options = options.Value;
        Codec = new DecoderCodec(new PixelBudget(options), _decoders, options);
    }

    public ImageOptions Options { get; }

    public IImageCodec Codec { get; }

    public static ImagePlan Compress { get; } = ImagePlan.Empty.Add(new ImageStep.Compress(50));

    public async Task<(byte[] Output, CodecReport Report)> RunAsync(byte[] file, ImagePlan? plan = null, bool isSuspect = false)
    {
        using var output = new PooledBuffer();
        var report = await Codec.RunAsync(default, file, plan ?? Compress, isSuspect, output, CancellationToken.None);
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

    public Task InitializeAsync() => _decoders.StartAsync(CancellationToken.None);

    public Task DisposeAsync()
    {
        _decoders.Dispose();
        return Task.CompletedTask;
    }
}

public sealed class LibvipsFixture() : CodecFixture(ImageLibrary.Libvips);

public sealed class ImageSharpFixture() : CodecFixture(ImageLibrary.ImageSharp);
