using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Darkroom.Tests.AppHost;

/// <summary>A temporary folder, deleted when disposed.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("darkroom-host-").FullName;

    [SuppressMessage("Design", "CA1031", Justification = "What cannot be deleted stays in the system's temporary folder.")]
    public void Dispose()
    {
        try
        {
            // As root, the cluster is in a system folder, and this folder only has a pointer to it.
            foreach (var pointer in Directory.EnumerateFiles(Path, "location.json", SearchOption.AllDirectories).ToList())
            {
                using var location = JsonDocument.Parse(File.ReadAllText(pointer));
                var home = location.RootElement.GetProperty("Home").GetString()!;
                if (Directory.Exists(home))
                    Directory.Delete(home, recursive: true);
            }

            Directory.Delete(Path, recursive: true);
        }
        catch (Exception)
        {
            // A process that was just killed may still be writing.
        }
    }
}
