using System.Security.Cryptography;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Storage;

namespace Darkroom.Tests.Storage;

public sealed class ObjectKeysTests
{
    private static readonly RequestId Request = new(Guid.Parse("0198a000-0000-7000-8000-000000000001"));
    private static readonly byte[] Hash = SHA256.HashData("hello"u8);

    [Fact]
    public void Keys_contain_request_row_position_and_hash()
    {
        Assert.Equal($"requests/{Request}/input.csv", ObjectKeys.Input(Request));
        Assert.Equal($"requests/{Request}/originals/12-3-2cf24dba5fb0a30e.jpg", ObjectKeys.Original(Request, 1, 12, 3, Hash, "jpg"));
        Assert.Equal($"requests/{Request}/images/12-3-2cf24dba5fb0a30e.webp", ObjectKeys.Image(Request, 1, 12, 3, Hash, "webp"));
        Assert.Equal($"requests/{Request}/images/12-3-2cf24dba5fb0a30e-2.webp", ObjectKeys.Image(Request, 2, 12, 3, Hash, "webp"));
        Assert.Equal($"requests/{Request}/output-2-7.csv", ObjectKeys.Output(Request, 2, 7));
    }

    [Fact]
    public void Every_key_starts_with_its_request()
    {
        string[] keys = [ObjectKeys.Input(Request), ObjectKeys.Original(Request, 1, 1, 1, Hash, "png"), ObjectKeys.Image(Request, 3, 1, 1, Hash, "png"), ObjectKeys.Output(Request, 1, 1)];
        Assert.All(keys, key => Assert.StartsWith(ObjectKeys.Request(Request), key, StringComparison.Ordinal));
        Assert.All(keys, key => Assert.Matches("^[a-z0-9/_-]+\\.(jpg|png|webp|gif|tiff|avif|csv)$", key));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_place_is_read_from_the_key_of_any_run(int run)
    {
        Assert.True(ObjectKeys.TryReadPlace(Request, ObjectKeys.Image(Request, run, 12, 3, Hash, "jpg"), out var place));
        Assert.Equal(new ImagePlace(12, 3), place);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".jpg")]
    [InlineData("JPG")]
    [InlineData("../x")]
    [InlineData("toolong")]
    public void An_invalid_extension_is_rejected(string extension) =>
        Assert.Throws<ArgumentException>(() => ObjectKeys.Image(Request, 1, 1, 1, Hash, extension));
}
