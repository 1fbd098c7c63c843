using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Darkroom.Images.Decoders.Linux;

/// <summary>The system calls that confine a process; .NET exposes none of them. Constants are those of the kernel's public headers.</summary>
[SupportedOSPlatform("linux")]
internal static partial class LinuxCalls
{
    private const int SetNoNewPrivilegesOption = 38;
    private const int SetParentDeathSignalOption = 1;
    private const int CapabilityVersion3 = 0x20080522;
    private const int DescriptorSetFlags = 4;
    private const int NonBlocking = 0x800;
    private const int SetPipeSizeCommand = 1031;
    private const int CloseOnExec = 4;

    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;

    /// <summary>The process never gains a privilege again, not even through a setuid program.</summary>
    public static void ForbidNewPrivileges() => Check(Control(SetNoNewPrivilegesOption, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)");

    /// <summary>The kernel kills this process when the thread that started it ends.</summary>
    public static void DieWithParent() => Check(Control(SetParentDeathSignalOption, Kill, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)");

    /// <summary>Sets a limit, both soft and hard, for this process and its successors.</summary>
    public static void Limit(Resource resource, ulong value)
    {
        var limit = new ResourceLimit { Soft = value, Hard = value };
        Check(SetLimit((int)resource, ref limit), $"setrlimit({resource})");
    }

    /// <summary>Gives up every capability; only a process started by root has any.</summary>
    public static unsafe void DropCapabilities()
    {
        var header = stackalloc int[2];
        header[0] = CapabilityVersion3;
        header[1] = 0;
        var none = stackalloc int[6];
        new Span<int>(none, 6).Clear();
        Check((int)Call(LinuxNumbers.Current.SetCapabilities, (nint)header, (nint)none, 0, 0), "capset");
    }

    /// <summary>Makes the next program inherit only the standard streams.</summary>
    public static void CloseOtherDescriptorsOnExec() =>
        Check((int)Call(LinuxNumbers.CloseRange, 3, int.MaxValue, CloseOnExec, 0), "close_range");

    /// <summary>Starts a session of its own. Fails, without consequence, in a process that has one already.</summary>
    public static void TryStartSession() => StartSession();

    /// <summary>Ignored signals stay ignored in the next program.</summary>
    public static void Ignore(int signal) => SetHandler(signal, 1);

    /// <summary>Writes to a full pipe then fail instead of waiting for a reader.</summary>
    public static void SetNonBlocking(int descriptor) => Check(ControlDescriptor(descriptor, DescriptorSetFlags, 1 | NonBlocking), "fcntl(F_SETFL)");

    /// <summary>Enlarges a pipe. The kernel may refuse, which only costs speed.</summary>
    public static void TrySetPipeSize(int descriptor, int bytes) => ControlDescriptor(descriptor, SetPipeSizeCommand, bytes);

    /// <summary>Replaces the running program. Returns only if that fails.</summary>
    /// <exception cref="Win32Exception">Always.</exception>
    public static void Execute(string program, IReadOnlyList<string> arguments, IEnumerable<string> environment)
    {
        nint[] argumentPointers = [.. arguments.Select(Marshal.StringToCoTaskMemUTF8), 0];
        nint[] environmentPointers = [.. environment.Select(Marshal.StringToCoTaskMemUTF8), 0];
        Execute(program, argumentPointers, environmentPointers);
        throw Error("execve");
    }

    /// <summary>Calls the kernel by number. Returns -1 and sets the last error if it fails.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    public static partial nint Call(nint number, nint a, nint b, nint c, nint d);

    /// <exception cref="Win32Exception">The result is negative.</exception>
    public static int Check(int result, string call) => result >= 0 ? result : throw Error(call);

    private static Win32Exception Error(string call) =>
        new(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int option, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetLimit(int resource, ref ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "setsid", SetLastError = true)]
    private static partial int StartSession();

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int ControlDescriptor(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string program, nint[] arguments, nint[] environment);

    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }
}

/// <summary>What <c>setrlimit</c> limits; the numbers are the same on x64 and arm64.</summary>
internal enum Resource
{
    /// <summary>CPU time, in seconds.</summary>
    Cpu = 0,

    /// <summary>Heap and private writable memory, in bytes.</summary>
    Data = 2,

    /// <summary>Size of a core dump, in bytes; it would contain customers' pixels.</summary>
    Core = 4,

    /// <summary>Open files.</summary>
    Files = 7,
}
