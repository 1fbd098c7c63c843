using Darkroom.Data;
using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Storage;

public sealed class ImageLinksTests
{
    private const string Key = "requests/r/images/1-1-0123456789abcdef.jpg";
    private static readonly ImageId Image = new(42);

    [Fact]
    public async Task All_processes_of_an_installation_create_and_accept_the_same_links()
    {
        await using var database = await TestDatabase.CreateAsync();
        var links = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => StartAsync(database)));

        var link = links[0].For(Image, Key);
        Assert.Matches("^https://api\\.example\\.com/base/i/42/[A-Za-z0-9_-]{22}$", link);
        Assert.All(links, other => Assert.Equal(link, other.For(Image, Key)));
        Assert.All(links, other => Assert.True(other.Verify(Image, Key, Mac(link))));
    }

    [Fact]
    public async Task A_link_is_valid_for_one_object_of_one_image_only()
    {
        await using var database = await TestDatabase.CreateAsync();
        var links = await StartAsync(database);
        var mac = Mac(links.For(Image, Key));

        Assert.False(links.Verify(new ImageId(43), Key, mac));
        Assert.False(links.Verify(Image, Key.Replace("1-1", "1-2", StringComparison.Ordinal), mac));
        foreach (var guess in (string[])["", mac[..^1], mac + "A", mac.ToUpperInvariant(), new string('A', 22), "é"])
            Assert.False(links.Verify(Image, Key, guess));
        // Moving the boundary between id and key must not produce the same text.
        Assert.False(links.Verify(new ImageId(4), "2\n" + Key, mac));
    }

    [Fact]
    public async Task Installations_do_not_accept_each_others_links()
    {
        await using var one = await TestDatabase.CreateAsync();
        await using var other = await TestDatabase.CreateAsync();
        var link = (await StartAsync(one)).For(Image, Key);
        Assert.False((await StartAsync(other)).Verify(Image, Key, Mac(link)));
    }

    [Theory]
    [InlineData("https://cdn.example.com")]
    [InlineData("https://cdn.example.com/")]
    public async Task Links_to_a_bucket_with_a_public_url_lead_there_directly(string address)
    {
        await using var database = await TestDatabase.CreateAsync();
        var links = await StartAsync(database, address);
        Assert.Equal("https://cdn.example.com/" + Key, links.For(Image, Key));
    }

    [Fact]
    public void Creating_a_link_without_the_secret_throws() =>
        Assert.Throws<InvalidOperationException>(() => Create(null!).For(Image, Key));

    [Theory]
    [InlineData("", false)]
    [InlineData("api.example.com", false)]
    [InlineData("ftp://api.example.com", false)]
    [InlineData("https://api.example.com/?x=1", false)]
    [InlineData("https://api.example.com/", true)]
    [InlineData("http://localhost:5080/base", true)]
    public void The_base_url_must_allow_a_path_to_be_appended(string address, bool valid)
    {
        var options = new LinkOptions { BaseUrl = address };
        var problems = new List<System.ComponentModel.DataAnnotations.ValidationResult>();
        Assert.Equal(valid, System.ComponentModel.DataAnnotations.Validator.TryValidateObject(
            options, new System.ComponentModel.DataAnnotations.ValidationContext(options), problems, validateAllProperties: true));
    }

    private static async Task<ImageLinks> StartAsync(TestDatabase database, string? publicBase = null)
    {
        var links = Create(new InstallationSecrets(database.DataSource, TestSecrets.Protector(database.DataSource)), publicBase);
        await links.StartAsync(default);
        return links;
    }

    private static ImageLinks Create(InstallationSecrets secrets, string? publicBase = null) => new(
        secrets,
        new S3ConnectionString { Bucket = "b", PublicBaseUrl = publicBase is null ? null : new Uri(publicBase) },
        Options.Create(new LinkOptions { BaseUrl = "https://api.example.com/base/" }));

    private static string Mac(string link) => link[(link.LastIndexOf('/') + 1)..];
}
