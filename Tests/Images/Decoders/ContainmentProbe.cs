using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text.Json;
using Darkroom.Images.Decoders;
using Darkroom.Images.Decoders.Linux;

namespace Darkroom.Tests.Images.Decoders;

/// <summary>Confines itself as a decoder does, then tries what a decoder must not be able to do, and prints how each attempt ended.</summary>
internal static class ContainmentProbe
{
    public const string Verb = "probe";

    private static bool IsX64 => RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64;

    /// <param name="arguments">The limits, as a decoder gets them.</param>
    [SupportedOSPlatform("linux")]
    public static int Run(string[] arguments)
    {
        var containment = DecoderHost.Confine(arguments);
        var parent = Parent();
        var attempts = new Dictionary<string, string>
        {
            ["socket"] = Call(IsX64 ? 41 : 198, 2, 1, 0),
            ["socketpair"] = Call(IsX64 ? 53 : 199, 1, 1, 0),
            ["connect"] = Call(IsX64 ? 42 : 203, 0, 0, 0),
            ["bind"] = Call(IsX64 ? 49 : 200, 0, 0, 0),
            ["sendto"] = Call(IsX64 ? 44 : 206, 0, 0, 0),
            ["execve"] = Call(IsX64 ? 59 : 221, 0, 0, 0),
            ["execveat"] = Call(IsX64 ? 322 : 281, 0, 0, 0),
            ["fork"] = Call(LinuxNumbers.Current.Clone, 17, 0, 0),
            ["ptrace"] = Call(IsX64 ? 101 : 117, 16, parent, 0),
            ["process_vm_readv"] = Call(IsX64 ? 310 : 270, parent, 0, 0),
            ["process_vm_writev"] = Call(IsX64 ? 311 : 271, parent, 0, 0),
            ["io_uring_setup"] = Call(425, 8, 0, 0),
            ["kill the parent"] = Call(LinuxNumbers.Current.SendSignal, parent, 0, 0),
            ["pidfd_open"] = Call(434, parent, 0, 0),
            ["bpf"] = Call(IsX64 ? 321 : 280, 0, 0, 0),
            ["keyctl"] = Call(IsX64 ? 250 : 219, 0, 0, 0),
            ["unshare"] = Call(IsX64 ? 272 : 97, 0x10000000, 0, 0),
            ["a call by its x32 number"] = IsX64 ? Call(0x40000000 + 41, 2, 1, 0) : "EPERM",
            ["signal itself"] = Call(LinuxNumbers.Current.SendSignal, Environment.ProcessId, 0, 0),
            ["start a thread"] = Attempt(() => new Thread(() => { }).Start()),
            ["open a socket on another thread"] = OnAnotherThread(() => Call(IsX64 ? 41 : 198, 2, 1, 0)),
            ["read the parent's environment"] = Attempt(() => File.ReadAllBytes($"/proc/{parent}/environ")),
            ["read the parent's memory map"] = Attempt(() => File.ReadAllBytes($"/proc/{parent}/maps")),
            ["read another process' command line"] = Attempt(() => File.ReadAllBytes($"/proc/{parent}/cmdline")),
            ["read the list of processes"] = Attempt(() => Directory.GetDirectories("/proc")),
            ["look at its own memory map"] = Attempt(() => File.ReadAllBytes("/proc/self/maps")),
            ["read a setting beside the program"] = Attempt(() => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "xunit.runner.json"))),
            ["read a file"] = Attempt(() => File.ReadAllBytes("/etc/passwd")),
            ["write a file"] = Attempt(() => File.WriteAllText(Path.Combine(Path.GetTempPath(), $"probe-{Environment.ProcessId}"), "")),
            ["take 300 MB"] = Attempt(() => Use((nint)314_572_800)),
            ["take 20 MB"] = Attempt(() => Use((nint)20_971_520)),
        };
        Console.WriteLine(JsonSerializer.Serialize(new ProbeResult(containment, attempts)));
        return 0;
    }

    [SupportedOSPlatform("linux")]
    private static string Call(nint number, nint a, nint b, nint c) =>
        LinuxCalls.Call(number, a, b, c, 0) >= 0 ? "done" : Marshal.GetLastPInvokeError() switch { 1 => "EPERM", var error => $"error {error}" };

    private static string OnAnotherThread(Func<string> attempt)
    {
        var result = "";
        var thread = new Thread(() => result = attempt());
        thread.Start();
        thread.Join();
        return result;
    }

    private static string Attempt(Action attempt)
    {
        try
        {
            attempt();
            return "done";
        }
        catch (Exception e)
        {
            return e.GetType().Name;
        }
    }

    private static void Use(nint bytes)
    {
        var memory = Marshal.AllocHGlobal(bytes);
        Marshal.FreeHGlobal(memory);
    }

    private static int Parent()
    {
        var status = File.ReadAllText("/proc/self/stat");
        return int.Parse(status[(status.LastIndexOf(')') + 4)..].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <param name="Containment">What the probe believes confines it.</param>
/// <param name="Attempts">How each attempt ended: <c>done</c>, an error of the kernel, or an exception.</param>
internal sealed record ProbeResult(Containment Containment, Dictionary<string, string> Attempts);
