using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Amazon.S3;
using Amazon.S3.Model;
using Darkroom.AppHost.Storage;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Time.Testing;

namespace Darkroom.Tests.Storage;

/// <summary>Request authentication. The test vectors (keys, dates, signatures) are the examples in AWS' documentation.</summary>
public sealed class SignatureTests : IAsyncLifetime
{
    private const string Empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static readonly string[] ChunkSignatures =
    [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ];

    private static readonly string[] ChunkSignaturesBeforeTrailer =
    [
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ];

    private const string Trailer =
        "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n";

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false });

    private readonly string _folder = Directory.CreateTempSubdirectory("darkroom-s3-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2013, 5, 24, 0, 0, 0, TimeSpan.Zero));
    private S3Endpoint _aws = null!;

    public async Task InitializeAsync()
    {
        _aws = await S3Endpoint.StartAsync(new S3EndpointOptions
        {
            DataFolder = _folder,
            AccessKey = "AKIAIOSFODNN7EXAMPLE",
            SecretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            Bucket = "examplebucket",
            Time = _time,
        });
    }

    public async Task DisposeAsync()
    {
        await _aws.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_documented_GET_is_accepted()
    {
        // The example has its bucket in the host name, so after the signature is accepted this endpoint finds no such bucket.
        var (status, _) = await SendAsync(DocumentedGet("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
        Assert.NotEqual(HttpStatusCode.Forbidden, status);
    }

    [Fact]
    public async Task A_changed_header_or_signature_is_rejected()
    {
        var range = DocumentedGet("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
        range.Headers.Range = new RangeHeaderValue(0, 10);
        Assert.Equal((HttpStatusCode.Forbidden, "SignatureDoesNotMatch"), await SendAsync(range));
        Assert.Equal(
            (HttpStatusCode.Forbidden, "SignatureDoesNotMatch"),
            await SendAsync(DocumentedGet("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb42")));
    }

    [Theory]
    [InlineData(-16)]
    [InlineData(16)]
    public async Task A_clock_skew_of_more_than_fifteen_minutes_is_rejected(int minutes)
    {
        var start = new DateTimeOffset(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);
        await using var skewed = await S3Endpoint.StartAsync(new S3EndpointOptions
        {
            DataFolder = Path.Join(_folder, "skewed"),
            AccessKey = "AKIAIOSFODNN7EXAMPLE",
            SecretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            Bucket = "examplebucket",
            Time = new FakeTimeProvider(start.AddMinutes(minutes)),
        });
        var request = DocumentedGet("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
        request.RequestUri = new Uri(skewed.Url, "/test.txt");
        Assert.Equal((HttpStatusCode.Forbidden, "RequestTimeTooSkewed"), await SendAsync(request));
    }

    [Fact]
    public async Task The_documented_presigned_GET_is_accepted_until_it_expires()
    {
        const string query = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        HttpRequestMessage Request(string target) =>
            new(HttpMethod.Get, new Uri(_aws.Url, target)) { Headers = { Host = "examplebucket.s3.amazonaws.com" } };

        Assert.NotEqual(HttpStatusCode.Forbidden, (await SendAsync(Request(query))).Status);
        Assert.Equal("SignatureDoesNotMatch", (await SendAsync(Request(query.Replace("86400", "86401", StringComparison.Ordinal)))).Code);
        _time.Advance(TimeSpan.FromSeconds(86_401));
        Assert.Equal((HttpStatusCode.Forbidden, "AccessDenied"), await SendAsync(Request(query)));
    }

    [Fact]
    public async Task The_documented_upload_in_signed_chunks_is_stored()
    {
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(ChunkedPut(Chunks(ChunkSignatures, "")))).Status);
        Assert.Equal(66_560, StoredBytes());
    }

    [Fact]
    public async Task The_documented_upload_with_a_signed_trailer_is_stored()
    {
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(ChunkedPutWithTrailer(Chunks(ChunkSignaturesBeforeTrailer, Trailer)))).Status);
        Assert.Equal(66_560, StoredBytes());
    }

    [Fact]
    public async Task A_byte_changed_in_any_chunk_or_trailer_stores_nothing()
    {
        byte[] Changed(byte[] body, int at)
        {
            body[at] = (byte)'b';
            return body;
        }

        var body = Chunks(ChunkSignatures, "");
        foreach (var at in (int[])[200, 66_000, body.Length - 10])
            Assert.Equal((HttpStatusCode.Forbidden, "SignatureDoesNotMatch"), await SendAsync(ChunkedPut(Changed(Chunks(ChunkSignatures, ""), at))));
        var trailer = Trailer.Replace("sOO8", "sOO9", StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Forbidden, "SignatureDoesNotMatch"), await SendAsync(ChunkedPutWithTrailer(Chunks(ChunkSignaturesBeforeTrailer, trailer))));
        Assert.Equal(0, StoredBytes());
    }

    [Fact]
    public async Task A_chunked_body_that_ends_too_early_stores_nothing()
    {
        var body = Chunks(ChunkSignatures, "");
        var cut = ChunkedPut(body[..1000]);
        // The Content-Length header is signed and so must stay as documented; the connection ends before that many bytes are sent.
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => SendAsync(cut));
        Assert.Equal(0, StoredBytes());
    }

    [Fact]
    public async Task A_wrong_access_key_and_a_wrong_secret_give_different_errors_as_in_S3()
    {
        await using var s3 = await TestS3.StartAsync();
        using var wrongSecret = SdkContractTests.DefaultClient(s3.Url, secret: "other");
        using var wrongKey = SdkContractTests.DefaultClient(s3.Url, accessKey: "other");

        Assert.Equal("SignatureDoesNotMatch", (await Assert.ThrowsAsync<AmazonS3Exception>(() => wrongSecret.ListObjectsV2Async(List()))).ErrorCode);
        Assert.Equal("InvalidAccessKeyId", (await Assert.ThrowsAsync<AmazonS3Exception>(() => wrongKey.ListObjectsV2Async(List()))).ErrorCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/darkroom")]
    [InlineData("/darkroom/k")]
    [InlineData("/darkroom/../../etc/passwd")]
    [InlineData("/darkroom/%2e%2e/%2e%2e/etc/passwd")]
    public async Task Without_a_signature_nothing_is_served(string target)
    {
        await using var s3 = await TestS3.StartAsync();
        Assert.Equal((HttpStatusCode.Forbidden, "AccessDenied"), await SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(s3.Url, target))));
    }

    [Fact]
    public async Task A_presigned_url_serves_only_its_object_and_honours_response_overrides()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var s3 = await TestS3.StartAsync(time);
        var store = s3.CreateStore();
        await store.PutAsync("a b/é+.jpg", "jpeg"u8.ToArray(), "image/jpeg", default);
        var link = store.PresignGet("a b/é+.jpg", TimeSpan.FromMinutes(5), downloadAs: "mein Bild ü.jpg");

        using var response = await Http.GetAsync(link);
        Assert.Equal("jpeg", await response.Content.ReadAsStringAsync());
        Assert.Equal("image/jpeg", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("mein Bild ü.jpg", response.Content.Headers.ContentDisposition?.FileNameStar);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());

        var text = link.AbsoluteUri;
        foreach (var changed in (string[])[
            text.Replace(".jpg?", ".png?", StringComparison.Ordinal),
            text.Replace("X-Amz-Expires=", "X-Amz-Expires=1", StringComparison.Ordinal),
            text + "&response-content-type=text%2Fhtml"])
            Assert.Equal(HttpStatusCode.Forbidden, (await Http.GetAsync(changed)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await Http.PutAsync(link, new StringContent("x"))).StatusCode);

        time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(HttpStatusCode.Forbidden, (await Http.GetAsync(link)).StatusCode);
    }

    private static ListObjectsV2Request List() => new() { BucketName = "darkroom" };

    private HttpRequestMessage DocumentedGet(string signature)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_aws.Url, "/test.txt"));
        request.Headers.Host = "examplebucket.s3.amazonaws.com";
        request.Headers.Range = new RangeHeaderValue(0, 9);
        request.Headers.Add("x-amz-content-sha256", Empty);
        request.Headers.Add("x-amz-date", "20130524T000000Z");
        Authorize(request, "host;range;x-amz-content-sha256;x-amz-date", signature);
        return request;
    }

    private HttpRequestMessage ChunkedPut(byte[] body)
    {
        var request = Put(body, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
        request.Content!.Headers.ContentLength = 66_824;
        Authorize(
            request,
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
        return request;
    }

    private HttpRequestMessage ChunkedPutWithTrailer(byte[] body)
    {
        var request = Put(body, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
        request.Headers.Add("x-amz-trailer", "x-amz-checksum-crc32c");
        Authorize(
            request,
            "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
        return request;
    }

    private HttpRequestMessage Put(byte[] body, string payload)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, new Uri(_aws.Url, "/examplebucket/chunkObject.txt")) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentEncoding.Add("aws-chunked");
        request.Headers.Host = "s3.amazonaws.com";
        request.Headers.Add("x-amz-content-sha256", payload);
        request.Headers.Add("x-amz-date", "20130524T000000Z");
        request.Headers.Add("x-amz-decoded-content-length", "66560");
        request.Headers.Add("x-amz-storage-class", "REDUCED_REDUNDANCY");
        return request;
    }

    private static void Authorize(HttpRequestMessage request, string headers, string signature) => request.Headers.TryAddWithoutValidation(
        "Authorization",
        $"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={headers},Signature={signature}");

    private static byte[] Chunks(string[] signatures, string trailer)
    {
        var body = new StringBuilder();
        foreach (var (size, signature) in new[] { 65_536, 1_024 }.Zip(signatures))
            body.Append($"{size:x};chunk-signature={signature}\r\n").Append('a', size).Append("\r\n");
        return Encoding.ASCII.GetBytes(body.Append($"0;chunk-signature={signatures[2]}\r\n").Append(trailer).Append("\r\n").ToString());
    }

    private async Task<(HttpStatusCode Status, string Code)> SendAsync(HttpRequestMessage request)
    {
        using var response = await Http.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        var start = body.IndexOf("<Code>", StringComparison.Ordinal) + "<Code>".Length;
        return (response.StatusCode, body.Contains("<Code>", StringComparison.Ordinal) ? body[start..body.IndexOf("</Code>", StringComparison.Ordinal)] : "");
    }

    private long StoredBytes()
    {
        using var file = ObjectFile.TryOpen(KeyPath.Object(Path.Join(_folder, "buckets", "examplebucket"), "chunkObject.txt"));
        return file?.Length ?? 0;
    }
}
