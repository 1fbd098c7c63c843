using System.Security.Cryptography;
using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Storage;

public sealed class ObjectStoreTests : IAsyncLifetime
{
    private TestS3 _s3 = null!;
    private ObjectStore _store = null!;

    public async Task InitializeAsync()
    {
        _s3 = await TestS3.StartAsync();
        _store = _s3.CreateStore();
    }

    public async Task DisposeAsync() => await _s3.DisposeAsync();

    [Fact]
    public async Task What_is_put_is_read_back()
    {
        var bytes = RandomNumberGenerator.GetBytes(300_000);
        var stored = await _store.PutAsync("requests/1/images/1-1-a.jpg", bytes, "image/jpeg", default);

        Assert.Equal(new { Bytes = 300_000L, Hash = Convert.ToHexString(SHA256.HashData(bytes)) }, new { stored.Bytes, Hash = Convert.ToHexString(stored.Sha256) });
        Assert.Equal(bytes, await ReadAsync("requests/1/images/1-1-a.jpg"));
    }

    private async Task<byte[]> ReadAsync(string key)
    {
        await using var content = await _store.OpenReadAsync(key, default);
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy);
        return copy.ToArray();
    }
}
