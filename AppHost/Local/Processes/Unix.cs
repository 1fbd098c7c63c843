using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Darkroom.AppHost.Local.Processes;

/// <summary>The few system calls that .NET does not offer.</summary>
[UnsupportedOSPlatform("windows")]
internal static partial class Unix
{
    private const int ParentDeathSignal = 1;

    public static bool IsRoot => GetEffectiveUser() == 0;

    public static int ParentId => GetParentId();

    /// <summary>False if there is no such process (any more).</summary>
    public static bool Signal(int pid, int signal) => Kill(pid, signal) == 0;

    public static bool IsAlive(int pid) => Kill(pid, 0) == 0 || Marshal.GetLastPInvokeError() != NoSuchProcess;

    public static void StartSession() => Check(SetSession() >= 0, "setsid");

    public static void DieWithParent(int signal) => Check(ProcessControl(ParentDeathSignal, (nuint)signal, 0, 0, 0) == 0, "prctl");

    public static void ResetSignal(int signal) => SetHandler(signal, 0);

    public static void GiveTo(UnixUser user, string path) => Check(ChangeOwner(path, user.Id, user.Group) == 0, $"chown {path}");

    /// <summary>Gives up root for good. Groups go first: afterwards there is no right left to change them.</summary>
    public static void Become(UnixUser user)
    {
        Check(InitGroups(user.Name, user.Group) == 0, "initgroups");
        Check(SetGroup(user.Group) == 0, "setgid");
        Check(SetUser(user.Id) == 0, "setuid");
    }

    /// <summary>Becomes another program. Returns only by an exception.</summary>
    public static unsafe void Execute(string file, IReadOnlyList<string> arguments)
    {
        var argv = new nint[arguments.Count + 2];
        argv[0] = Marshal.StringToCoTaskMemUTF8(file);
        for (var i = 0; i < arguments.Count; i++) argv[i + 1] = Marshal.StringToCoTaskMemUTF8(arguments[i]);
        fixed (nint* pointer = argv) ExecuteFile(file, pointer);
        throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{file} could not be started");
    }

    private static void Check(bool succeeded, string call)
    {
        if (!succeeded) throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call} failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private const int NoSuchProcess = 3;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParentId();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "setsid", SetLastError = true)]
    private static partial int SetSession();

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "initgroups", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int InitGroups(string user, uint group);

    [LibraryImport("libc", EntryPoint = "setgid", SetLastError = true)]
    private static partial int SetGroup(uint group);

    [LibraryImport("libc", EntryPoint = "setuid", SetLastError = true)]
    private static partial int SetUser(uint user);

    [LibraryImport("libc", EntryPoint = "execvp", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int ExecuteFile(string file, nint* arguments);
}
