using Darkroom.Images;
using Darkroom.Images.Decoders;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Images.Decoders;

/// <summary>What the worker makes of decoders that crash, hang and lie.</summary>
public sealed class DecoderPoolTests : IDisposable
{
    private readonly ImageOptions _images = new() { CodecSlots = 1, CodecTime = TimeSpan.FromMinutes(1) };
    private readonly DecoderOptions _options = new() { MaxResultMegabytes = 1 };
    private readonly RecordedLog _log = new();
    private DecoderPool? _pool;

    [Fact]
    public async Task An_image_that_crashes_every_decoder_fails_and_the_next_one_succeeds()
    {
        Start();
        var before = await ServedByAsync("ok");

        var failure = await FailureAsync("crash");

        Assert.Equal((ImageFailureCodes.DecoderCrashed, false), (failure.Code, failure.IsTransient));
        Assert.NotEqual(before, await ServedByAsync("ok"));
        Assert.Equal(2, _log.Lines.Count(line => line.Contains("The decoder ended", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_jpeg_reaches_a_decoder_only_if_it_is_suspect()
    {
        Start();
        var options = Options.Create(_images);
        var codec = new DecoderCodec(new PixelBudget(options), _pool!, options);
        byte[] file = [.. TestImages.Photo(ImageFormat.Jpeg), .. StandInDecoder.File("crash")];
        using var result = new PooledBuffer();

        await codec.RunAsync(default, file, CodecFixture.Compress, isSuspect: false, result, CancellationToken.None);

        var failed = await Assert.ThrowsAsync<ImageFailedException>(
            () => codec.RunAsync(default, file, CodecFixture.Compress, isSuspect: true, result, CancellationToken.None));
        Assert.Equal(ImageFailureCodes.DecoderCrashed, failed.Failure.Code);
    }

    [Fact]
    public async Task A_slot_has_no_decoder_until_an_image_needs_it()
    {
        _images.CodecSlots = 3;
        Start();
        var options = Options.Create(_images);
        var codec = new DecoderCodec(new PixelBudget(options), _pool!, options);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using var result = new PooledBuffer();
            await codec.RunAsync(default, TestImages.Photo(ImageFormat.Jpeg), CodecFixture.Compress, isSuspect: false, result, CancellationToken.None);
        }));
        await ProcessesAsync(1);

        using var over = new CancellationTokenSource();
        var hanging = Enumerable.Range(0, 3).Select(_ => RunAsync(StandInDecoder.File("hang"), over.Token)).ToList();
        await ProcessesAsync(3);

        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(hanging));
    }

    [Fact]
    public async Task An_image_is_not_to_blame_for_a_decoder_that_an_earlier_one_has_damaged()
    {
        Start();
        await ServedByAsync("ok");
        await ServedByAsync("crash unless fresh");
        await ServedByAsync("ok");
        await ServedByAsync("out of memory unless fresh");
    }

    [Fact]
    public async Task A_crash_disturbs_no_other_slot()
    {
        _images.CodecSlots = 2;
        Start();
        var crashes = Enumerable.Range(0, 3).Select(_ => FailureAsync("crash")).ToList();
        var others = Enumerable.Range(0, 20).Select(_ => RunAsync(TestImages.Photo(ImageFormat.Jpeg))).ToList();
        Assert.All(await Task.WhenAll(others), report => Assert.Equal(OutputEncoding.Encoded, report.Encoding));
        Assert.All(await Task.WhenAll(crashes), failure => Assert.Equal(ImageFailureCodes.DecoderCrashed, failure.Code));
    }

    [Fact]
    public async Task A_decoder_that_hangs_is_killed_and_its_image_fails_at_once()
    {
        _images.CodecTime = TimeSpan.FromSeconds(0.1);
        _options.Grace = TimeSpan.FromSeconds(0.1);
        Start();
        Assert.Equal(ImageFailureCodes.TooComplex, (await FailureAsync("hang")).Code);
        _images.CodecTime = TimeSpan.FromMinutes(1);
        await ServedByAsync("ok");
    }

    [Theory]
    [InlineData("claim")]
    [InlineData("chatter")]
    [InlineData("lie about format")]
    [InlineData("lie about length")]
    [InlineData("lie about size")]
    public async Task A_decoder_that_breaks_the_protocol_counts_as_crashed(string lie)
    {
        Start();
        Assert.Equal(ImageFailureCodes.DecoderCrashed, (await FailureAsync(lie)).Code);
        await ServedByAsync("ok");
    }

    [Theory]
    [InlineData("unknown code")]
    [InlineData("control characters")]
    public async Task A_reason_that_we_do_not_know_never_reaches_a_customer(string lie)
    {
        Start();
        var failure = await FailureAsync(lie);
        Assert.Equal((ImageFailureCodes.CorruptImage, "The image is damaged or cut off."), (failure.Code, failure.Message));
    }

    [Fact]
    public async Task An_image_that_takes_too_much_memory_even_in_a_fresh_decoder_is_too_complex()
    {
        Start();
        await ServedByAsync("ok");
        Assert.Equal(ImageFailureCodes.TooComplex, (await FailureAsync("out of memory")).Code);
    }

    [LinuxFact]
    public async Task What_a_decoder_writes_to_its_standard_error_neither_blocks_it_nor_fills_the_log()
    {
        Start();
        Assert.Equal(ImageFailureCodes.DecoderCrashed, (await FailureAsync("flood")).Code);
        var said = _log.Lines.Where(line => line.Contains("xxxx", StringComparison.Ordinal)).ToList();
        Assert.All(said, line => Assert.True(line.Length < 5_000 && !line.Any(char.IsControl)));
    }

    [Fact]
    public async Task A_cancelled_image_gives_its_slot_back()
    {
        Start();
        using var cancellation = new CancellationTokenSource();
        var hanging = RunAsync(StandInDecoder.File("hang"), cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hanging);
        await ServedByAsync("ok");
    }

    [Fact]
    public async Task A_decoder_is_replaced_after_the_configured_number_of_images()
    {
        _options.Images = 2;
        Start();
        var servedBy = new List<int>();
        for (var image = 0; image < 5; image++)
            servedBy.Add(await ServedByAsync("ok"));
        Assert.Equal((servedBy[0], servedBy[2]), (servedBy[1], servedBy[3]));
        Assert.Equal(3, servedBy.Distinct().Count());
    }

    [Fact]
    public async Task A_decoder_that_has_grown_is_replaced()
    {
        _options.ResidentMegabytes = 1;
        Start();
        var servedBy = new List<int>();
        for (var image = 0; image < 17; image++)
            servedBy.Add(await ServedByAsync("ok"));
        Assert.Equal(2, servedBy.Distinct().Count());
        Assert.NotEqual(servedBy[15], servedBy[16]);
    }

    [Fact]
    public async Task Without_decoders_images_wait_and_health_says_so()
    {
        Start(new DecoderProgram("/nonexistent/decoder", []));
        var failure = await FailureAsync("ok");
        Assert.Equal((ImageFailureCodes.DecoderUnavailable, true, false), (failure.Code, failure.IsTransient, failure.UsesAttempt));
        Assert.Equal(HealthStatus.Unhealthy, (await HealthAsync()).Status);
    }

    [Fact]
    public async Task A_decoder_that_is_not_confined_is_named_once_in_the_log_and_in_health()
    {
        _images.CodecSlots = 2;
        Start();
        await ServedByAsync("ok");
        var health = await HealthAsync();
        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.Contains("a filter of system calls", health.Description, StringComparison.Ordinal);
        Assert.Single(_log.Lines, line => line.Contains("a filter of system calls", StringComparison.Ordinal));
    }

    private void Start(DecoderProgram? program = null)
    {
        _pool = TestDecoders.Create(_images, program ?? TestDecoders.StandIn, _options, _log);
        _pool.StartAsync(CancellationToken.None);
    }

    private async Task ProcessesAsync(int count) =>
        await Eventually.GetAsync(() => Task.FromResult(_pool!.Processes), processes => processes.Count == count, $"{count} decoders run");

    private async Task<CodecReport> RunAsync(byte[] file, CancellationToken cancellationToken = default)
    {
        using var result = new PooledBuffer();
        return await _pool!.RunAsync(file, CodecFixture.Compress, result, cancellationToken);
    }

    /// <summary>The process that served a file of the stand-in.</summary>
    private async Task<int> ServedByAsync(string file) => (await RunAsync(StandInDecoder.File(file))).Output.Width;

    private async Task<ImageFailure> FailureAsync(string misbehaviour) =>
        (await Assert.ThrowsAsync<ImageFailedException>(() => RunAsync(StandInDecoder.File(misbehaviour)))).Failure;

    private Task<HealthCheckResult> HealthAsync() => new DecoderHealthCheck(_pool!).CheckHealthAsync(new HealthCheckContext());

    public void Dispose() => _pool?.Dispose();

    private sealed class RecordedLog : ILogger<DecoderPool>
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                    return [.. _lines];
            }
        }

        public void Log<TState>(
            LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
                _lines.Add(formatter(state, exception));
        }

        public bool IsEnabled(LogLevel level) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;
    }
}
