using System.Reflection;
using Darkroom.AppHost.Processes;
using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>Starts services as they were built with this host.</summary>
internal static class BuiltProject
{
    /// <summary>
    /// Starts the program itself rather than <c>dotnet run</c>, which costs two seconds of CPU and 130 MB for each process, and
    /// stands between it and the signals. Under a debugger, or where the output lies elsewhere, Aspire does what it always does.
    /// </summary>
    public static IResourceBuilder<ProjectResource> LaunchBuilt(this IResourceBuilder<ProjectResource> project)
    {
#pragma warning disable ASPIRECERTIFICATES001 // Plain HTTP on loopback: without this, every start warns that no certificate is trusted.
        project.WithoutHttpsCertificate();
#pragma warning restore ASPIRECERTIFICATES001
        var builder = project.ApplicationBuilder;
        if (!builder.ExecutionContext.IsRunMode || builder.Configuration["DEBUG_SESSION_PORT"] is not null) return project;
        var file = project.Resource.GetProjectMetadata().ProjectPath;
        var folder = Path.GetDirectoryName(file)!;
        var configuration = typeof(BuiltProject).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var name = Path.GetFileNameWithoutExtension(file) + (OperatingSystem.IsWindows() ? ".exe" : "");
        var program = Path.Combine(folder, "bin", configuration, "net10.0", name);
        return File.Exists(program)
            ? project
                .WithAnnotation(new ExecutableAnnotation { Command = program, WorkingDirectory = folder })
                // It looks for the runtime in the usual places only, and ours may be elsewhere.
                .WithEnvironment("DOTNET_ROOT", Path.GetDirectoryName(DotnetHost.Path) ?? "")
            : project;
    }
}
