using Darkroom.AppHost.Storage;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Storage;

/// <summary>The S3 endpoint's folders under concurrency.</summary>
public sealed class BucketFoldersTests : IDisposable
{
    private readonly string _root = ServerData.CreateFolder("darkroom-s3-");

    [Fact]
    public async Task Concurrent_first_writes_to_a_folder_all_succeed()
    {
        var folders = new BucketFolders(_root);
        folders.Create("darkroom");
        using var together = new Barrier(4);

        void WriteAll(int writer)
        {
            for (var round = 0; round < 500; round++)
            {
                together.SignalAndWait();
                using var write = folders.BeginWrite();
                Assert.True(write.Commit(Path.Join(folders.Objects("darkroom"), $"f{round}", $"{writer}"), Metadata()));
            }
        }

        var writers = Enumerable.Range(0, 4).Select(writer => Task.Factory.StartNew(
            () =>
            {
                try
                {
                    WriteAll(writer);
                }
                catch
                {
                    // The others must not wait for this one.
                    together.RemoveParticipant();
                    throw;
                }
            }, default, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        await Task.WhenAll(writers);

        Assert.Equal(2_000, Directory.EnumerateFiles(folders.Objects("darkroom"), "*", SearchOption.AllDirectories).Count());
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static ObjectMetadata Metadata() => new() { ETag = "", LastModified = DateTimeOffset.UnixEpoch, Headers = [] };
}
