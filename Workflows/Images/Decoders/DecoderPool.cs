using System.Collections.Concurrent;
using Darkroom.Images.Jpeg;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Darkroom.Images.Decoders;

/// <summary>
/// One thread per codec slot. Each has a JPEG codec, unless ImageSharp was chosen, and from the first image that needs one a decoder, for which it
/// waits. An image that kills its decoder is tried once more in a new one; other images are not affected.
/// </summary>
public sealed partial class DecoderPool(
    DecoderProgram program,
    TimeProvider time,
    IOptions<ImageOptions> images,
    IOptions<DecoderOptions> options,
    ILogger<DecoderPool> logger) : IHostedService, IDisposable
{
    private const int MaxDeaths = 2;

    private readonly BlockingCollection<Job> _jobs = [];
    private readonly List<Thread> _threads = [];
    private readonly ConcurrentDictionary<DecoderProcess, bool> _running = [];
    private volatile bool _isFailing;
    private int _saidWhatIsMissing;

    /// <summary>Process ids of the decoders that run now.</summary>
    public IReadOnlyList<int> Processes => [.. _running.Keys.Select(decoder => decoder.Id)];

    /// <summary>What confines the decoders; null until one has started.</summary>
    public Containment? Containment { get; private set; }

    /// <summary>Whether the last decoder could not be started.</summary>
    public bool IsFailing => _isFailing;

    /// <summary>Starts the threads, and one decoder, without waiting for it: whether decoders can be started at all is then known early.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        for (var slot = 1; slot <= images.Value.EffectiveCodecSlots; slot++)
        {
            var isFirst = slot == 1;
            var thread = new Thread(() => Run(isFirst)) { IsBackground = true, Name = $"decoder {slot}" };
            thread.Start();
            _threads.Add(thread);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Executes the plan in the next free decoder, appending the result to <paramref name="result"/>.</summary>
    /// <exception cref="ImageFailedException">The file or the plan is at fault, or no decoder can be started now.</exception>
    public Task<CodecReport> RunAsync(ReadOnlyMemory<byte> file, ImagePlan plan, PooledBuffer result, CancellationToken cancellationToken) =>
        RunAsync(file, null, plan, result, cancellationToken);

    /// <summary>Executes the plan in this process, if it can, or else in the next free decoder.</summary>
    /// <param name="file">The file.</param>
    /// <param name="header">What is known about it; null to have it read by a decoder whatever it is.</param>
    /// <param name="plan">What to do.</param>
    /// <param name="result">What the result is appended to.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ImageFailedException">The file or the plan is at fault, or no decoder can be started now.</exception>
    internal Task<CodecReport> RunAsync(
        ReadOnlyMemory<byte> file, ImageHeader? header, ImagePlan plan, PooledBuffer result, CancellationToken cancellationToken)
    {
        var job = new Job(file, header, plan, result, cancellationToken);
        _jobs.Add(job, CancellationToken.None);
        return job.Done.Task;
    }

    private void Run(bool keepsDecoder)
    {
        var jpeg = images.Value.Codec == ImageLibrary.Libvips ? new JpegCodec(images.Value, time) : null;
        var decoder = keepsDecoder ? TryStart() : null;
        foreach (var job in _jobs.GetConsumingEnumerable())
        {
            try
            {
                var report = TryTranscode(jpeg, job);
                keepsDecoder |= report is null;
                job.Done.SetResult(report ?? Execute(ref decoder, job));
            }
            catch (OperationCanceledException e)
            {
                job.Done.SetCanceled(e.CancellationToken);
            }
            catch (Exception e)
            {
                job.Done.SetException(e);
            }

            if (decoder is not null && decoder.IsWorn())
                End(ref decoder);
            // The next image need not wait for it.
            if (keepsDecoder)
                decoder ??= TryStart();
        }

        End(ref decoder);
    }

    private static CodecReport? TryTranscode(JpegCodec? jpeg, Job job)
    {
        job.Cancellation.ThrowIfCancellationRequested();
        return job.Header is { } header ? jpeg?.TryRun(job.File, header, job.Plan, job.Result, job.Cancellation) : null;
    }

    private CodecReport Execute(ref DecoderProcess? decoder, Job job)
    {
        var deaths = 0;
        while (true)
        {
            job.Cancellation.ThrowIfCancellationRequested();
            decoder ??= TryStart() ?? throw Failed(ImageFailureCodes.DecoderUnavailable, "No decoder could be started.", isTransient: true);
            var isFresh = decoder.Images == 0;
            job.Result.Clear();
            try
            {
                var answer = decoder.Execute(job.File, job.Plan, job.Result, job.Cancellation);
                if (answer.Report is { } report)
                    return report;
                if (!answer.OutOfMemory)
                    throw new ImageFailedException(Refusal(answer));
                End(ref decoder);
                if (isFresh)
                    throw TooMuchMemory();
            }
            catch (DecoderDiedException e)
            {
                LogDied(e.Message);
                End(ref decoder);
                if (e.IsLate)
                    throw new ImageFailedException(images.Value.TookTooLong());
                if (++deaths == MaxDeaths)
                    throw e.IsOutOfMemory ? TooMuchMemory() : Failed(ImageFailureCodes.DecoderCrashed, "The decoder crashed every time it processed this image.");
            }
        }
    }

    /// <summary>The decoder's reason goes to customers, so it must be one that we know.</summary>
    private static ImageFailure Refusal(DecoderAnswer answer) =>
        answer is { Code: { } code, Message: { Length: > 0 and < 300 } message } && ImageFailureCodes.OfDecoders.Contains(code)
        && !message.Any(char.IsControl)
            ? new ImageFailure(code, message)
            : new ImageFailure(ImageFailureCodes.CorruptImage, "The image is damaged or cut off.");

    private DecoderProcess? TryStart()
    {
        try
        {
            var decoder = DecoderProcess.Start(program, images.Value, options.Value, time);
            _running[decoder] = true;
            _isFailing = false;
            Containment = decoder.Containment;
            if (!decoder.Containment.IsComplete && Interlocked.Exchange(ref _saidWhatIsMissing, 1) == 0)
                LogNotContained(decoder.Containment.Missing);
            return decoder;
        }
        catch (Exception e)
        {
            // Whatever it is: this thread must not end, and the worker with it.
            _isFailing = true;
            LogNotStarted(e);
            return null;
        }
    }

    private void End(ref DecoderProcess? decoder)
    {
        if (decoder is null)
            return;
        _running.TryRemove(decoder, out _);
        decoder.Dispose();
        decoder = null;
    }

    private ImageFailedException TooMuchMemory() =>
        Failed(ImageFailureCodes.TooComplex, $"The image takes more than {options.Value.MemoryMegabytes} MB to process.");

    private static ImageFailedException Failed(string code, string message, bool isTransient = false) =>
        new(new ImageFailure(code, message, isTransient) { UsesAttempt = !isTransient });

    /// <summary>Waits for the images in hand, and ends the decoders.</summary>
    public void Dispose()
    {
        if (_threads.Count == 0)
            return;
        _jobs.CompleteAdding();
        foreach (var thread in _threads)
            thread.Join();
        _threads.Clear();
        _jobs.Dispose();
    }

    private sealed record Job(ReadOnlyMemory<byte> File, ImageHeader? Header, ImagePlan Plan, PooledBuffer Result, CancellationToken Cancellation)
    {
        public TaskCompletionSource<CodecReport> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{How}")]
    private partial void LogDied(string how);

    [LoggerMessage(Level = LogLevel.Error, Message = "A decoder could not be started; images wait until one can")]
    private partial void LogNotStarted(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images are decoded in child processes, but this platform does not confine them completely. Missing: {Missing}")]
    private partial void LogNotContained(string missing);
}
