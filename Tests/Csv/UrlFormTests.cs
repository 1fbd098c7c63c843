using System.Text;
using Darkroom.Csv;

namespace Darkroom.Tests.Csv;

public sealed class UrlFormTests
{
    [Theory]
    [InlineData("https://a.test")]
    [InlineData("https://a.test/1.jpg#top")]
    [InlineData("HTTPS://EXAMPLE.TEST/A.PNG")]
    [InlineData("http://a.test:8080/1.jpg")]
    [InlineData("http://127.0.0.1/1.jpg")]
    [InlineData("http://[::1]:81/1.jpg")]
    [InlineData("https://my_bucket.s3.test/1.jpg")]
    [InlineData("https://größe.test/größe.jpg")]
    [InlineData("https://xn--gre-6ka8i.test/1.jpg")]
    [InlineData("https://a.test/%zz?x={y}|^\"<>")]
    [InlineData("https://a.test/@user")]
    public void Fetchable_urls_pass(string url) => Assert.Null(UrlForm.Check(url, 2_048).Code);

    [Theory]
    [InlineData("example.test/1.jpg", CsvErrorCodes.InvalidUrl)]
    [InlineData("cdn.example.test:8080/1.jpg", CsvErrorCodes.InvalidUrl)]
    [InlineData("//example.test/a.png", CsvErrorCodes.InvalidUrl)]
    [InlineData("/etc/passwd", CsvErrorCodes.InvalidUrl)]
    [InlineData("\\\\server\\share\\a.png", CsvErrorCodes.InvalidUrl)]
    [InlineData("C:\\a.png", CsvErrorCodes.InvalidUrl)]
    [InlineData("http://", CsvErrorCodes.InvalidUrl)]
    [InlineData("http:///a.png", CsvErrorCodes.InvalidUrl)]
    [InlineData("http:/example.test/a", CsvErrorCodes.InvalidUrl)]
    [InlineData("http:example.test/a", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://?x", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://example.test:99999/a", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://[::1", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://a..test/1.jpg", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://a.test\\@b.test/1.jpg", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://a.test/1\u0000.jpg", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://a.test/1\u007F.jpg", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://a.test/1\u0085.jpg", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://a.test/1\u00A0.jpg", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://a.test/1\u200B.jpg", CsvErrorCodes.InvalidUrl)]
    [InlineData("https://a.test/1\u202E.jpg", CsvErrorCodes.InvalidUrl)]
    [InlineData("=HYPERLINK(\"http://x\")", CsvErrorCodes.InvalidUrl)]
    [InlineData("file:///etc/passwd", CsvErrorCodes.UnsupportedScheme)]
    [InlineData("gopher://127.0.0.1:6379/_FLUSHALL", CsvErrorCodes.UnsupportedScheme)]
    [InlineData("data:image/png;base64,iVBORw0KGgo=", CsvErrorCodes.UnsupportedScheme)]
    [InlineData("javascript:alert(1)", CsvErrorCodes.UnsupportedScheme)]
    [InlineData("https://user:pass@a.test/1.jpg", CsvErrorCodes.UrlHasCredentials)]
    [InlineData("https://@a.test/1.jpg", CsvErrorCodes.UrlHasCredentials)]
    public void Other_urls_are_refused_with_a_reason(string url, string code) => Assert.Equal(code, UrlForm.Check(url, 2_048).Code);

    [Fact]
    public void Length_is_limited()
    {
        Assert.Null(UrlForm.Check("https://a.test/" + new string('x', 2_033), 2_048).Code);
        Assert.Equal(CsvErrorCodes.UrlTooLong, UrlForm.Check("https://a.test/" + new string('x', 2_034), 2_048).Code);
    }

    [Fact]
    public void Accepted_url_has_the_host_that_a_person_reads()
    {
        var random = new Random(5);
        const string pieces = "aZ09.-_~:/?#[]@!$&'()*+,;=%\\|^{}<> éß☃";
        for (var round = 0; round < 50_000; round++)
        {
            var url = new StringBuilder(random.Next(2) == 0 ? "https://" : "http://");
            url.Append(random.Next(3) switch { 0 => "a.test", 1 => "cdn1.b-c.example", _ => "" });
            for (var length = random.Next(8); length > 0; length--)
                url.Append(pieces[random.Next(pieces.Length)]);
            if (UrlForm.Check(url.ToString(), 2_048).Code is not null)
                continue;

            Assert.True(Uri.TryCreate(url.ToString(), UriKind.Absolute, out var uri), url.ToString());
            Assert.Empty(uri.UserInfo);
            Assert.NotEmpty(uri.Host);
            var written = url.ToString().Split("://")[1].Split('/', '?', '#')[0];
            // Numeric hosts become dotted addresses; which of them may be called is policy.
            if (uri.HostNameType == UriHostNameType.Dns)
                Assert.StartsWith(uri.Host, written, StringComparison.OrdinalIgnoreCase);
        }
    }
}
