using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Darkroom.AppHost.Local.Processes;

/// <summary>Windows' way to end children with their parent: a job that this process belongs to, and that kills all when its handle closes.</summary>
[SupportedOSPlatform("windows")]
internal static partial class WindowsJob
{
    private const int ExtendedLimitInformation = 9;
    private const uint KillOnJobClose = 0x2000;
    private const uint CtrlBreak = 1;

    // Never closed: the kernel closes it when we end, however that happens.
    private static readonly Lazy<nint> Job = new(Create);

    public static void HoldThisProcess() => _ = Job.Value;

    /// <summary>What a console program takes for Ctrl+Break: .NET's hosts stop in order on it.</summary>
    public static void SendBreak(int processGroup) => GenerateConsoleCtrlEvent(CtrlBreak, (uint)processGroup);

    private static unsafe nint Create()
    {
        var job = CreateJobObject(0, null);
        var limits = new ExtendedLimits { Flags = KillOnJobClose };
        if (job == 0
            || !SetInformationJobObject(job, ExtendedLimitInformation, &limits, (uint)sizeof(ExtendedLimits))
            || !AssignProcessToJobObject(job, GetCurrentProcess()))
            throw new Win32Exception();
        return job;
    }

    /// <summary>JOBOBJECT_EXTENDED_LIMIT_INFORMATION.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ExtendedLimits
    {
        public long PerProcessUserTime, PerJobUserTime;
        public uint Flags;
        public nuint MinimumWorkingSet, MaximumWorkingSet;
        public uint ActiveProcesses;
        public nuint Affinity;
        public uint PriorityClass, SchedulingClass;
        public ulong ReadOperations, WriteOperations, OtherOperations, ReadBytes, WrittenBytes, OtherBytes;
        public nuint ProcessMemory, JobMemory, PeakProcessMemory, PeakJobMemory;
    }

    [LibraryImport("kernel32", EntryPoint = "CreateJobObjectW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial nint CreateJobObject(nint attributes, string? name);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static unsafe partial bool SetInformationJobObject(nint job, int kind, void* information, uint length);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool AssignProcessToJobObject(nint job, nint process);

    [LibraryImport("kernel32")]
    private static partial nint GetCurrentProcess();

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GenerateConsoleCtrlEvent(uint controlEvent, uint processGroup);
}
