using System.Diagnostics;
using System.Runtime.Versioning;
using Darkroom.Images;
using Darkroom.Images.Decoders;
using Darkroom.Images.Vips;
using Darkroom.Tests.Images.Decoders;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Options;
using Xunit.Abstractions;

namespace Darkroom.Tests.Images;

/// <summary>A5 to A10: time and memory that each hostile file takes of the decoder. Bounds are generous; the log has the figures.</summary>
[SupportedOSPlatform("linux")]
public sealed class HostileFigureTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Megabytes = 64;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(20);

    private readonly ImageOptions _options = new() { CodecSlots = 1, AvifEffort = 0 };
    private DecoderPool _pool = null!;

    public async Task InitializeAsync()
    {
        VipsRuntime.EnsureStarted();
        _pool = TestDecoders.Create(_options);
        await _pool.StartAsync(CancellationToken.None);
        await MeasureAsync("warm-up", TestImages.Photo(ImageFormat.Png));
    }

    public Task DisposeAsync()
    {
        _pool.Dispose();
        return Task.CompletedTask;
    }

    [HostileCorpusTheory]
    [InlineData("made/bomb")]
    [InlineData("img/tiff")]
    [InlineData("img/jpeg")]
    [InlineData("img/png")]
    [InlineData("img/gif")]
    [InlineData("made/polyglot")]
    [InlineData("made/meta")]
    public async Task Hostile_files_take_little_time_and_memory(string folder)
    {
        var figures = new List<Figure>();
        foreach (var path in Directory.EnumerateFiles(HostileCorpus.File(folder), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            figures.Add(await MeasureAsync(Path.GetFileName(path), await File.ReadAllBytesAsync(path)));

        output.WriteLine($"{folder}: {figures.Count} files, {figures.Count(figure => figure.Code is null)} accepted");
        foreach (var figure in figures.OrderByDescending(figure => figure.Megabytes).Take(5).Union(figures.OrderByDescending(figure => figure.Time).Take(5)))
            output.WriteLine($"{figure.Name}: {figure.Code ?? "accepted"}, {figure.Time.TotalMilliseconds:0} ms, {figure.Megabytes:0} MB");
        Assert.All(figures, figure =>
        {
            Assert.True(figure.Megabytes is { } growth ? growth <= Megabytes : figure.Code == ImageFailureCodes.TooComplex, $"{figure}");
            Assert.True(figure.Time <= Time, $"{figure}");
            // Nothing crashes a decoder.
            Assert.NotEqual(ImageFailureCodes.DecoderCrashed, figure.Code);
        });
    }

    private async Task<Figure> MeasureAsync(string name, byte[] file)
    {
        var codec = new DecoderCodec(new PixelBudget(Options.Create(_options)), _pool, Options.Create(_options));
        using var result = new PooledBuffer();
        var decoder = await Eventually.GetAsync(
            () => Task.FromResult(_pool.Processes), processes => processes.Count == 1, "The decoder runs");
        var memory = PeakMemory.Start(decoder[0]);
        var clock = Stopwatch.StartNew();
        string? code = null;
        try
        {
            await codec.RunAsync(default, file, CodecFixture.Compress, isSuspect: false, result, CancellationToken.None);
        }
        catch (ImageFailedException e)
        {
            code = e.Failure.Code;
        }

        var time = clock.Elapsed;
        return new Figure(name, code, time, _pool.Processes.SequenceEqual(decoder) ? memory.GrowthMegabytes : null);
    }

    /// <param name="Name">The file's name.</param>
    /// <param name="Code">Why it was refused, or null.</param>
    /// <param name="Time">Until the answer.</param>
    /// <param name="Megabytes">By how much the decoder grew; null if it reached its limit, and was replaced.</param>
    private sealed record Figure(string Name, string? Code, TimeSpan Time, double? Megabytes);
}
