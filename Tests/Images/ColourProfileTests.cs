using System.Buffers.Binary;
using Darkroom.Images;
using Darkroom.Images.Containers;
using NetVips;

namespace Darkroom.Tests.Images;

public abstract class ColourProfileTests(CodecFixture codec)
{
    public sealed class Libvips(LibvipsFixture codec) : ColourProfileTests(codec), IClassFixture<LibvipsFixture>;

    public sealed class ImageSharp(ImageSharpFixture codec) : ColourProfileTests(codec), IClassFixture<ImageSharpFixture>;

    private static readonly byte[] Srgb = Profile("srgb");
    private static readonly byte[] DisplayP3 = Profile("p3");

    [Fact]
    public void Srgb_is_recognised_by_its_values()
    {
        Assert.Equal(new IccProfile(3, IsSrgb: true), IccProfile.Parse(Srgb));
        Assert.Equal(new IccProfile(3, IsSrgb: false), IccProfile.Parse(DisplayP3));
        Assert.Equal(new IccProfile(4, IsSrgb: false), IccProfile.Parse(Profile("cmyk")));
    }

    [Fact]
    public void A_truncated_or_corrupted_profile_is_rejected()
    {
        Assert.Null(IccProfile.Parse([]));
        Assert.Null(IccProfile.Parse(new byte[500]));
        Assert.Null(IccProfile.Parse([.. Srgb, 0]));
        for (var length = 0; length < DisplayP3.Length; length += 7)
            Assert.Null(IccProfile.Parse(DisplayP3.AsSpan(0, length)));
        var bent = (byte[])DisplayP3.Clone();
        BinaryPrimitives.WriteUInt32BigEndian(bent.AsSpan(132 + 4), uint.MaxValue);
        Assert.Null(IccProfile.Parse(bent));
    }

    [Theory]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Webp)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.Avif)]
    public async Task Profile_is_kept_unless_it_is_srgb_or_junk(ImageFormat format)
    {
        Assert.Equal(DisplayP3, await ProfileAfterAsync(format, DisplayP3, quality: 50));
        Assert.Null(await ProfileAfterAsync(format, Srgb, quality: 50));
        Assert.Null(await ProfileAfterAsync(format, new byte[700], quality: 50));
    }

    [Theory]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Webp)]
    public async Task Rewritten_container_follows_the_same_rule(ImageFormat format)
    {
        Assert.Equal(DisplayP3, await ProfileAfterAsync(format, DisplayP3, quality: 95, expected: OutputEncoding.Rewritten));
        Assert.Null(await ProfileAfterAsync(format, Srgb, quality: 95, expected: OutputEncoding.Rewritten));
    }

    [Fact]
    public async Task Profile_beyond_the_limit_is_dropped()
    {
        // An unused tag makes a valid profile of any size.
        var large = new byte[1_200_000];
        DisplayP3.CopyTo(large, 0);
        BinaryPrimitives.WriteInt32BigEndian(large, large.Length);
        Assert.Equal(3, IccProfile.Parse(large)?.Channels);
        Assert.Null(await ProfileAfterAsync(ImageFormat.Png, large, quality: 50));
        Assert.Null(await ProfileAfterAsync(ImageFormat.Tiff, large, quality: 50));
    }

    private static byte[] Profile(string name) => Image.ProfileLoad(name);

    private async Task<byte[]?> ProfileAfterAsync(ImageFormat format, byte[] profile, int quality, OutputEncoding? expected = null)
    {
        using var photo = TestImages.Photo(160, 120);
        using var tagged = photo.Mutate(image => image.Set(GValue.BlobType, "icc-profile-data", profile));
        var file = TestImages.Encode(tagged, format, expected is null ? 92 : 10);
        var (output, report) = await codec.RunAsync(file, ImagePlan.Empty.Add(new ImageStep.Compress(quality)));
        if (expected is not null)
            Assert.Equal(expected, report.Encoding);
        using var decoded = CodecFixture.Decode(output);
        return decoded.Contains("icc-profile-data") ? (byte[])decoded.Get("icc-profile-data") : null;
    }
}
