using System.Globalization;
using System.Runtime.Versioning;

namespace Darkroom.AppHost.Local.Processes;

/// <summary>
/// What a child process does before it becomes the program it was started for: leave our session, so that Ctrl+C does not reach
/// it and it can be stopped in order; give up root where told; ask the kernel to be signalled when we die. .NET offers none of
/// this between fork and exec, so the AppHost's own assembly runs first and then replaces itself: the process id stays.
/// </summary>
internal static class Launcher
{
    private const string Verb = "--launch";

    public static IEnumerable<string> Arguments(LaunchRequest request) =>
    [
        Assembly, Verb,
        Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
        request.SignalOnParentDeath.ToString(CultureInfo.InvariantCulture),
        request.User ?? "",
        request.File,
        .. request.Arguments,
    ];

    /// <summary>The assembly that holds this class and has an entry point: the AppHost, also when a test host loads it.</summary>
    public static string Assembly => typeof(Launcher).Assembly.Location;

    /// <summary>The dotnet host that runs this process, found by the runtime's own folder: PATH and DOTNET_ROOT may name another.</summary>
    public static string DotnetHost
    {
        get
        {
            var runtime = System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory();
            var root = Path.GetFullPath(Path.Combine(runtime, "..", "..", ".."));
            var host = Path.Combine(root, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
            return File.Exists(host) ? host : "dotnet";
        }
    }

    /// <summary>Takes over the process if it was started to become another program, or to watch over this one. Else returns.</summary>
    public static void RunIfAsked(string[] arguments)
    {
        if (arguments is [Warden.Verb]) Warden.Run();
        if (arguments is not [Verb, var parent, var signal, var user, var file, .. var rest]) return;
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();
        try
        {
            Become(int.Parse(parent, CultureInfo.InvariantCulture), int.Parse(signal, CultureInfo.InvariantCulture), user, file, rest);
        }
        catch (Exception e)
        {
            Console.Error.WriteLine(e.Message);
            Environment.Exit(127);
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static void Become(int parent, int signalOnParentDeath, string user, string file, string[] arguments)
    {
        Unix.StartSession();
        if (user.Length > 0)
            Unix.Become(UnixUser.Find(user) ?? throw new InvalidOperationException($"There is no user {user} on this machine."));

        // After the change of user, which clears it.
        if (OperatingSystem.IsLinux()) Unix.DieWithParent(signalOnParentDeath);

        // Already dead: the signal will never come.
        if (Unix.ParentId != parent) Environment.Exit(0);

        // .NET ignores it, and what is ignored stays so across exec.
        Unix.ResetSignal(Signals.BrokenPipe);
        Unix.Execute(file, arguments);
    }
}
