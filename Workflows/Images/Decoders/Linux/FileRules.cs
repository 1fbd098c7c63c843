using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Darkroom.Images.Decoders.Linux;

/// <summary>
/// Limits which files this process and its successors can open: what .NET and libvips are loaded from, for reading, and nothing else.
/// Of <c>/proc</c> that is only this process and facts about the machine. A Landlock ruleset, Linux 5.13 or later.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class FileRules
{
    private const int GetVersion = 1;
    private const int PathBeneath = 1;

    private const ulong Execute = 1 << 0;
    private const ulong WriteFile = 1 << 1;
    private const ulong ReadFile = 1 << 2;
    private const ulong ReadDirectory = 1 << 3;
    private const ulong Read = Execute | ReadFile | ReadDirectory;

    private static readonly string[] ProgramSuffixes = [".dll", ".so", ".deps.json", ".runtimeconfig.json"];

    /// <summary>What the runtime and libc ask about memory and processors. They do without, should the kernel forget these files and create them anew.</summary>
    private static readonly string[] MachineFacts = ["/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/sys/vm/overcommit_memory"];

    private static string NativeLibraries => Path.Combine(AppContext.BaseDirectory, "runtimes");

    /// <summary>All rights of a version; rights that the kernel does not know cannot be restricted.</summary>
    private static ulong AllRights(int version) => version switch
    {
        1 => (1UL << 13) - 1,
        2 => (1UL << 14) - 1,
        3 or 4 => (1UL << 15) - 1,
        _ => (1UL << 16) - 1,
    };

    /// <summary>Applies to the calling thread and whatever it starts afterwards. Needs <see cref="LinuxCalls.ForbidNewPrivileges"/> first.</summary>
    /// <exception cref="Win32Exception">The kernel has no Landlock, or forbids it here.</exception>
    public static unsafe void Apply()
    {
        var version = LinuxCalls.Check((int)LinuxCalls.Call(LinuxNumbers.CreateRuleset, 0, 0, GetVersion, 0), "landlock_create_ruleset");
        var rights = AllRights(version);
        var descriptor = LinuxCalls.Check(
            (int)LinuxCalls.Call(LinuxNumbers.CreateRuleset, (nint)(&rights), sizeof(ulong), 0, 0), "landlock_create_ruleset");
        using var ruleset = new SafeFileHandle(descriptor, ownsHandle: true);
        foreach (var folder in ReadableFolders())
            Permit(ruleset, folder, Read);
        foreach (var file in (string[])[.. ProgramFiles(), "/etc/ld.so.cache", "/dev/urandom", "/dev/zero", .. MachineFacts])
            Permit(ruleset, file, Execute | ReadFile);
        Permit(ruleset, "/dev/null", ReadFile | WriteFile);
        LinuxCalls.Check((int)LinuxCalls.Call(LinuxNumbers.RestrictSelf, descriptor, 0, 0, 0), "landlock_restrict_self");
    }

    /// <summary>The application, file by file: settings, which may contain secrets, often stand beside it.</summary>
    private static IEnumerable<string> ProgramFiles() =>
        Directory.EnumerateFiles(AppContext.BaseDirectory)
            .Where(file => ProgramSuffixes.Any(suffix => file.EndsWith(suffix, StringComparison.Ordinal)) || file.Contains(".so.", StringComparison.Ordinal))
            .Append(Environment.ProcessPath!);

    /// <summary>.NET, the system libraries, which are where those already loaded are, and what the runtime reads about the machine.</summary>
    private static HashSet<string> ReadableFolders()
    {
        var runtime = RuntimeEnvironment.GetRuntimeDirectory();
        HashSet<string> folders = [runtime, NativeLibraries, "/proc/self", "/sys"];
        // Under shared/Microsoft.NETCore.App/10.0.0 of the installation, unless the application brings the runtime with it.
        if (Path.GetFullPath(runtime + "/../../..") is var installation && Directory.Exists(installation + "/host/fxr"))
            folders.Add(installation);
        foreach (var line in File.ReadLines("/proc/self/maps"))
            if (line.IndexOf('/', StringComparison.Ordinal) is > 0 and var start && File.Exists(line[start..]))
                folders.Add(Path.GetDirectoryName(line[start..])!);
        // The loader opens libraries by the path in the program, where /lib may be a link.
        foreach (var library in (string[])["/lib", "/lib64", "/usr/lib", "/usr/lib64"])
            if (Directory.Exists(library))
                folders.Add(library);
        folders.RemoveWhere(folder => Path.TrimEndingDirectorySeparator(folder) == Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        return folders;
    }

    private static unsafe void Permit(SafeFileHandle ruleset, string path, ulong rights)
    {
        const int pathOnly = 0x200000;
        const int closeOnExec = 0x80000;
        var pathPointer = Marshal.StringToCoTaskMemUTF8(path);
        try
        {
            var descriptor = (int)LinuxCalls.Call(LinuxNumbers.Current.OpenAt, -100, pathPointer, pathOnly | closeOnExec, 0);
            if (descriptor < 0)
                return;
            using var file = new SafeFileHandle(descriptor, ownsHandle: true);
            var rule = new Rule { Rights = rights, Parent = descriptor };
            LinuxCalls.Check(
                (int)LinuxCalls.Call(LinuxNumbers.AddRule, ruleset.DangerousGetHandle(), PathBeneath, (nint)(&rule), 0), "landlock_add_rule");
        }
        finally
        {
            Marshal.FreeCoTaskMem(pathPointer);
        }
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct Rule
    {
        public ulong Rights;
        public int Parent;
    }
}
