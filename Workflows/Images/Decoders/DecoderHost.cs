using System.ComponentModel;
using System.Runtime.Versioning;
using Darkroom.Images.Decoders.Linux;
using Darkroom.Images.Vips;

namespace Darkroom.Images.Decoders;

/// <summary>
/// The decoder: a process that confines itself and then executes one plan after another, from standard input to standard output, until its
/// input ends. On Linux it first limits itself and starts over, so that the limits bind every thread of the runtime, not only the present one.
/// </summary>
public static class DecoderHost
{
    private const string Confined = "confined";
    private const int PipeBytes = 1_048_576;
    private const ulong OpenFiles = 256;
    private const string OutOfMemoryScore = "500";

    /// <param name="arguments">The command line after <see cref="DecoderProgram.Verb"/>.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string[] arguments)
    {
        Serve(Confine(arguments), options =>
        {
            var executor = PlanExecutor.Create(options, TimeProvider.System);
            return (file, plan, result) => Answer(executor, file, plan, result);
        });
        return 0;
    }

    /// <summary>Confines this process as far as the platform can. On Linux, the first call does not return: the process starts over.</summary>
    internal static Containment Confine(string[] arguments)
    {
        var limits = DecoderLimits.Parse(arguments);
        if (!OperatingSystem.IsLinux() || !LinuxNumbers.IsSupported)
            return Containment.None;
        if (arguments is [_, _, Confined, var limitsSet, var filesLimited])
            return new Containment(bool.Parse(limitsSet), bool.Parse(filesLimited), Try(SystemCallFilter.Install));
        Try(() =>
        {
            if (OperatingSystem.IsLinux())
                StartOver(limits);
        });
        return Containment.None;
    }

    /// <summary>Answers one message after another, until standard input ends.</summary>
    /// <param name="containment">What confines this process by now.</param>
    /// <param name="prepare">Given the options, returns what executes a plan on a file and appends to the result.</param>
    internal static void Serve(Containment containment, Func<ImageOptions, Func<PooledBuffer, ImagePlan, PooledBuffer, DecoderAnswer>> prepare)
    {
        var (input, output) = (Console.OpenStandardInput(), Console.OpenStandardOutput());
        using var nothing = new PooledBuffer();
        var answer = prepare(DecoderFrame.Read<ImageOptions>(input, nothing, maxFile: 0, step: 0));
        DecoderFrame.Write(output, new DecoderHello(containment), []);
        while (true)
        {
            using var file = new PooledBuffer();
            ImagePlan plan;
            try
            {
                plan = DecoderFrame.Read<ImagePlan>(input, file, int.MaxValue, step: int.MaxValue);
            }
            catch (EndOfStreamException)
            {
                return;
            }

            using var result = new PooledBuffer(file.Length / 2);
            DecoderFrame.Write(output, answer(file, plan, result), result.Span);
        }
    }

    [SupportedOSPlatform("linux")]
    private static void StartOver(DecoderLimits limits)
    {
        LinuxCalls.DieWithParent();
        // Where the scheduler shares the cores between sessions, decoders would otherwise get what the rest of their worker leaves.
        LinuxCalls.TryStartSession();
        // Of a terminal or a service manager, meant for the worker, which may still need this process to finish its images.
        LinuxCalls.Ignore(LinuxCalls.Interrupt);
        LinuxCalls.Ignore(LinuxCalls.Terminate);
        // Nobody reads errors until this process has died: what does not fit the pipe is dropped.
        LinuxCalls.SetNonBlocking(2);
        LinuxCalls.TrySetPipeSize(0, PipeBytes);
        LinuxCalls.TrySetPipeSize(1, PipeBytes);
        Try(LinuxCalls.CloseOtherDescriptorsOnExec);
        // Short of memory, the kernel ends a decoder rather than the worker.
        Try(() => File.WriteAllText("/proc/self/oom_score_adj", OutOfMemoryScore));
        LinuxCalls.ForbidNewPrivileges();
        var filesLimited = Try(FileRules.Apply);
        var limitsSet = Try(() => SetLimits(limits));
        LinuxCalls.Execute(
            Environment.ProcessPath!,
            [.. File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0'), Confined, limitsSet.ToString(), filesLimited.ToString()],
            Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}"));
    }

    [SupportedOSPlatform("linux")]
    private static void SetLimits(DecoderLimits limits)
    {
        LinuxCalls.DropCapabilities();
        LinuxCalls.Limit(Resource.Core, 0);
        LinuxCalls.Limit(Resource.Files, OpenFiles);
        LinuxCalls.Limit(Resource.Cpu, (ulong)limits.CpuSeconds);
        LinuxCalls.Limit(Resource.Data, (ulong)limits.MemoryBytes);
    }

    /// <summary>False, saying why on standard error, if this system cannot do it.</summary>
    private static bool Try(Action confine)
    {
        try
        {
            confine();
            return true;
        }
        catch (Exception e) when (e is Win32Exception or IOException or UnauthorizedAccessException or DllNotFoundException)
        {
            Console.Error.WriteLine(e.Message);
            return false;
        }
    }

    private static DecoderAnswer Answer(PlanExecutor executor, PooledBuffer file, ImagePlan plan, PooledBuffer result)
    {
        try
        {
            return new DecoderAnswer(executor.Run(file.Memory, plan, result));
        }
        catch (ImageFailedException e)
        {
            result.Clear();
            return new DecoderAnswer(Code: e.Failure.Code, Message: e.Failure.Message, OutOfMemory: VipsRuntime.IsOutOfMemory(e.InnerException));
        }
        catch (OutOfMemoryException)
        {
            result.Clear();
            return new DecoderAnswer(OutOfMemory: true);
        }
    }
}
