using System.Diagnostics.CodeAnalysis;

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
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception)
        {
            // A process that was killed a moment ago may still write.
        }
    }
}
