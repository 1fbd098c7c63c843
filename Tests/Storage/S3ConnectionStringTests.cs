using Darkroom.Storage;

namespace Darkroom.Tests.Storage;

public sealed class S3ConnectionStringTests
{
    [Fact]
    public void All_settings_are_parsed()
    {
        var parsed = S3ConnectionString.Parse(
            "Endpoint=http://127.0.0.1:9000;Region=eu-central-1;Bucket=pictures;ForcePathStyle=true;AccessKey=key;SecretKey=a=b/c+d==;PublicBaseUrl=https://cdn.example.com/p/");

        Assert.Equal(
            new S3ConnectionString
            {
                Endpoint = new Uri("http://127.0.0.1:9000"),
                Region = "eu-central-1",
                Bucket = "pictures",
                ForcePathStyle = true,
                AccessKey = "key",
                SecretKey = "a=b/c+d==",
                PublicBaseUrl = new Uri("https://cdn.example.com/p/"),
            },
            parsed);
    }

    [Fact]
    public void Only_the_bucket_is_required_on_AWS()
    {
        Assert.Equal(new S3ConnectionString { Bucket = "pictures" }, S3ConnectionString.Parse("Bucket=pictures"));
        Assert.Equal(new S3ConnectionString { Bucket = "pictures", Region = "eu-west-1" }, S3ConnectionString.Parse("bucket=pictures; region=eu-west-1;"));
    }

    [Fact]
    public void A_custom_endpoint_has_the_bucket_in_its_path_by_default()
    {
        Assert.True(S3ConnectionString.Parse("Endpoint=https://s3.example.com;Bucket=b").ForcePathStyle);
        Assert.False(S3ConnectionString.Parse("Endpoint=https://s3.example.com;Bucket=b;ForcePathStyle=false").ForcePathStyle);
    }

    [Theory]
    [InlineData(null, "missing")]
    [InlineData("  ", "missing")]
    [InlineData("Region=eu-west-1", "Bucket is missing")]
    [InlineData("Bucket=b;Buckte=c", "'buckte' is not one of Endpoint, Region")]
    [InlineData("Bucket=b;Endpoint=localhost:9000", "Endpoint must be an http or https address")]
    [InlineData("Bucket=b;Endpoint=http://user:pass@host", "Endpoint must be an http or https address")]
    [InlineData("Bucket=b;PublicBaseUrl=/images", "PublicBaseUrl must be an http or https address")]
    [InlineData("Bucket=b;ForcePathStyle=yes", "ForcePathStyle must be true or false")]
    [InlineData("Bucket=b;AccessKey=k", "go together")]
    [InlineData("nonsense", "not of the form")]
    public void An_error_says_what_is_wrong(string? text, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => S3ConnectionString.Parse(text)).Message, StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void No_message_contains_the_secret()
    {
        foreach (var text in (string[])["SecretKey=hush;Bucket", "Bucket=b;SecretKey=hush", "Bucket=b;SecretKey='hush", "AccessKey=a;SecretKey=hush;ForcePathStyle=x"])
            Assert.DoesNotContain("hush", Assert.Throws<FormatException>(() => S3ConnectionString.Parse(text)).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hush", S3ConnectionString.Parse("Bucket=b;AccessKey=a;SecretKey=hush").ToString(), StringComparison.Ordinal);
    }
}
