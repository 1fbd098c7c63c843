using System.Reflection;
using Darkroom.AppHost.Processes;
using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>Starts services from the binaries that were built with this host.</summary>
internal static class BuiltProject
{
    /// <summary>
    /// Starts the program directly instead of through <c>dotnet run</c>, which costs two seconds of CPU and 130 MB per process and
    /// gets in the way of signals. Under a debugger, or if the build output is elsewhere, Aspire's default applies.
    /// </summary>
    public static IResourceBuilder<ProjectResource> RunFromBuildOutput(this IResourceBuilder<ProjectResource> project)
    {
#pragma warning disable ASPIRECERTIFICATES001 // Plain HTTP on loopback; otherwise every start warns about an untrusted certificate.
        project.WithoutHttpsCertificate();
#pragma warning restore ASPIRECERTIFICATES001
        var builder = project.ApplicationBuilder;
        if (!builder.ExecutionContext.IsRunMode || builder.Configuration["DEBUG_SESSION_PORT"] is not null)
            return project;
        var file = project.Resource.GetProjectMetadata().ProjectPath;
        var folder = Path.GetDirectoryName(file)!;
        var configuration = typeof(BuiltProject).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var name = Path.GetFileNameWithoutExtension(file) + (OperatingSystem.IsWindows() ? ".exe" : "");
        var program = Path.Combine(folder, "bin", configuration, "net10.0", name);
        return File.Exists(program)
            ? project
                .WithAnnotation(new ExecutableAnnotation { Command = program, WorkingDirectory = folder })
                // The program looks for the runtime only in the default locations, and ours may be elsewhere.
                .WithEnvironment("DOTNET_ROOT", Path.GetDirectoryName(DotnetHost.Path) ?? "")
            : project;
    }
}
