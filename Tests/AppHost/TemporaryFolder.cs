using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Darkroom.Tests.AppHost;

/// <summary>A folder of the test, removed with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("darkroom-host-").FullName;

    [SuppressMessage("Design", "CA1031", Justification = "What cannot be removed stays in the folder for temporary files.")]
    public void Dispose()
    {
        try
        {
            // As root, a cluster lies in a system folder and only a pointer here.
            foreach (var pointer in Directory.EnumerateFiles(Path, "location.json", SearchOption.AllDirectories).ToList())
            {
                using var location = JsonDocument.Parse(File.ReadAllText(pointer));
                var home = location.RootElement.GetProperty("Home").GetString()!;
                if (Directory.Exists(home)) Directory.Delete(home, recursive: true);
            }

            Directory.Delete(Path, recursive: true);
        }
        catch (Exception)
        {
            // A process that was killed a moment ago may still write.
        }
    }
}
