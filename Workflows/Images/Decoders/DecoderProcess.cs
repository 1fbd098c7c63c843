using System.ComponentModel;
using System.Diagnostics;

namespace Darkroom.Images.Decoders;

/// <summary>
/// A running decoder, seen from the worker. Used by one thread at a time, which must be the one that started it and must outlive it: the
/// kernel ends a decoder together with the thread that started it.
/// </summary>
internal sealed class DecoderProcess : IDisposable
{
    // Measuring a process reads three files; in between, memory and CPU time cannot grow by much.
    private const int ImagesPerMeasurement = 16;
    private const int MaxLoggedErrors = 4_096;
    private const int Step = 1_048_576;

    private readonly Process _process;
    private readonly ImageOptions _images;
    private readonly DecoderOptions _options;
    private readonly TimeProvider _time;
    private volatile bool _killed;

    private DecoderProcess(Process process, ImageOptions images, DecoderOptions options, TimeProvider time)
    {
        _process = process;
        _images = images;
        _options = options;
        _time = time;
    }

    /// <summary>What confines it, in its own words; they are true, because it has not read a file yet.</summary>
    public Containment Containment { get; private set; } = Containment.None;

    /// <summary>Images it has been given.</summary>
    public int Images { get; private set; }

    public int Id => _process.Id;

    /// <summary>Starts a decoder and waits until it is ready.</summary>
    /// <exception cref="DecoderDiedException">It did not become ready.</exception>
    public static DecoderProcess Start(DecoderProgram program, ImageOptions images, DecoderOptions options, TimeProvider time)
    {
        var limits = new DecoderLimits(options.MemoryBytes, (long)Math.Ceiling(2 * options.CpuTime.TotalSeconds));
        var process = Process.Start(program.StartInfo(limits)) ?? throw new InvalidOperationException("No decoder was started.");
        var decoder = new DecoderProcess(process, images, options, time);
        try
        {
            using var nothing = new PooledBuffer();
            decoder.Containment = decoder.Exchange<ImageOptions, DecoderHello>(images, default, nothing, options.StartTime, default).Containment;
            return decoder;
        }
        catch
        {
            decoder.Dispose();
            throw;
        }
    }

    /// <summary>Has it execute a plan, appending the result's bytes to <paramref name="result"/>.</summary>
    /// <exception cref="DecoderDiedException">It has crashed, hung or broken the protocol, and no longer runs.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled, and it no longer runs.</exception>
    public DecoderAnswer Execute(ReadOnlyMemory<byte> file, ImagePlan plan, PooledBuffer result, CancellationToken cancellationToken)
    {
        Images++;
        var answer = Exchange<ImagePlan, DecoderAnswer>(plan, file, result, _images.CodecTime + _options.Grace, cancellationToken);
        if (!IsPlausible(answer, result))
            throw Died("gave an answer that does not fit its result");
        return answer;
    }

    /// <summary>Whether it must be replaced before the next image.</summary>
    public bool IsWorn()
    {
        if (_killed || Images >= _options.Images)
            return true;
        if (Images % ImagesPerMeasurement != 0)
            return false;
        try
        {
            _process.Refresh();
            return _process.WorkingSet64 > _options.ResidentBytes || _process.TotalProcessorTime > _options.CpuTime;
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has exited, perhaps only just now.
            return true;
        }
    }

    private TAnswer Exchange<TQuestion, TAnswer>(
        TQuestion question, ReadOnlyMemory<byte> file, PooledBuffer result, TimeSpan limit, CancellationToken cancellationToken)
        where TAnswer : class
    {
        using var late = new CancellationTokenSource(limit, _time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        using var kill = stop.Token.UnsafeRegister(static decoder => ((DecoderProcess)decoder!).Kill(), this);
        try
        {
            DecoderFrame.Write(_process.StandardInput.BaseStream, question, file.Span);
            return DecoderFrame.Read<TAnswer>(_process.StandardOutput.BaseStream, result, _options.MaxResultBytes, Step);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw late.IsCancellationRequested
                ? new DecoderDiedException("did not react in time") { IsLate = true }
                : Died(e is InvalidDataException ? e.Message : "ended");
        }
    }

    /// <summary>Code that took over the decoder may answer anything.</summary>
    private static bool IsPlausible(DecoderAnswer answer, PooledBuffer result) => answer switch
    {
        { Report: { Frames: > 0, Source: { Width: > 0, Height: > 0 }, Output: { Width: > 0, Height: > 0 } output } report } =>
            output.Bytes == result.Length && FormatSniffer.Sniff(result.Span) == output.Format && Enum.IsDefined(report.Encoding),
        { Report: null } => result.Length == 0,
        _ => false,
    };

    private DecoderDiedException Died(string how)
    {
        Kill();
        _process.WaitForExit();
        var errors = ReadErrors();
        // Some of the libraries end the process when they get no memory.
        var isOutOfMemory = errors.Contains("allocate", StringComparison.OrdinalIgnoreCase) || errors.Contains("of memory", StringComparison.OrdinalIgnoreCase);
        return new DecoderDiedException($"{how}; exit code {_process.ExitCode}; {errors}") { IsOutOfMemory = isOutOfMemory };
    }

    /// <summary>What it wrote before it died, at most as much as the pipe held.</summary>
    private string ReadErrors()
    {
        if (!_process.StartInfo.RedirectStandardError)
            return "";
        var errors = new char[MaxLoggedErrors];
        var count = _process.StandardError.ReadBlock(errors);
        // An image can have its own words written here.
        for (var i = 0; i < count; i++)
            errors[i] = char.IsControl(errors[i]) ? ' ' : errors[i];
        return new string(errors, 0, count).Trim();
    }

    private void Kill()
    {
        _killed = true;
        try
        {
            _process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has exited already.
        }
    }

    public void Dispose()
    {
        Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}

/// <summary>A decoder died, or was killed because it hung or broke the protocol.</summary>
internal sealed class DecoderDiedException(string how) : Exception($"The decoder {how}.")
{
    /// <summary>Whether it was killed because it took too long.</summary>
    public bool IsLate { get; init; }

    /// <summary>Whether it ended for lack of memory.</summary>
    public bool IsOutOfMemory { get; init; }
}
