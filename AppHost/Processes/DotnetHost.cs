using System.Runtime.InteropServices;

namespace Darkroom.AppHost.Processes;

/// <summary>The <c>dotnet</c> that runs this process, located from the runtime's folder, because PATH and DOTNET_ROOT may point to another one.</summary>
internal static class DotnetHost
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        var root = System.IO.Path.GetFullPath(System.IO.Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var host = System.IO.Path.Combine(root, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
        return File.Exists(host) ? host : "dotnet";
    }
}
