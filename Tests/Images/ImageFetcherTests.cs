using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Darkroom.Egress;
using Darkroom.Data;
using Darkroom.Images;
using Darkroom.Tests.Egress;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Images;

public sealed class ImageFetcherTests
{
    private static readonly byte[] Image = TestImages.TinyGif;

    [Fact]
    public async Task Image_is_fetched_with_its_format_by_content_and_its_hash()
    {
        await using var server = FaultServer.Answering("200 OK", Image, "Content-Type: text/html", "Content-Disposition: attachment; filename=\"../../x.jpg\"");
        using var fetcher = TestEgress.Fetcher(TestEgress.Options());
        using var image = await fetcher.FetchAsync(server.At("/no-extension"), CancellationToken.None);
        Assert.Equal(ImageFormat.Gif, image.Format);
        Assert.Equal(Image, image.Memory.ToArray());
        Assert.Equal(SHA256.HashData(Image), image.Sha256);
    }

    [Fact]
    public async Task Request_sends_only_the_expected_headers()
    {
        var head = "";
        await using var server = new FaultServer(exchange =>
        {
            head = exchange.Head;
            return exchange.AnswerAsync("200 OK", Image);
        });
        using var fetcher = TestEgress.Fetcher(TestEgress.Options());
        (await fetcher.FetchAsync(server.Url, CancellationToken.None)).Dispose();
        var names = head.Split("\r\n").Skip(1).Where(line => line.Length > 0).Select(line => line.Split(':')[0]).Order();
        Assert.Equal(["Accept", "Accept-Encoding", "Host", "User-Agent"], names);
        Assert.Contains("Accept-Encoding: identity", head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("404 Not Found", "not_found", false)]
    [InlineData("410 Gone", "not_found", false)]
    [InlineData("401 Unauthorized", "http_401", false)]
    [InlineData("403 Forbidden", "http_403", false)]
    [InlineData("400 Bad Request", "http_400", false)]
    [InlineData("408 Request Timeout", "http_408", true)]
    [InlineData("429 Too Many Requests", "http_429", true)]
    [InlineData("500 Internal Server Error", "http_500", true)]
    [InlineData("503 Service Unavailable", "http_503", true)]
    [InlineData("206 Partial Content", "http_206", false)]
    [InlineData("300 Multiple Choices", "http_300", false)]
    public async Task Status_decides_whether_a_failure_is_transient(string status, string code, bool transient)
    {
        await using var server = FaultServer.Answering(status, Image);
        var failure = await FailureAsync(server.Url);
        Assert.Equal((code, transient), (failure.Code, failure.IsTransient));
    }

    [Theory]
    [InlineData("Retry-After: 2", 2)]
    [InlineData("Retry-After: 999999", 300)]
    [InlineData("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT", 0)]
    [InlineData("X-Other: 1", null)]
    [InlineData("Retry-After: soon", null)]
    public async Task Retry_after_is_passed_on_up_to_a_limit(string header, int? seconds)
    {
        await using var server = FaultServer.Answering("429 Too Many Requests", [], header);
        var failure = await FailureAsync(server.Url);
        Assert.Equal(seconds is null ? null : TimeSpan.FromSeconds(seconds.Value), failure.RetryAfter);
    }

    [Theory]
    [InlineData("<!doctype html><title>Login</title>", "not_an_image")]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format")]
    [InlineData("%PDF-1.7", "unsupported_format")]
    [InlineData("", "empty_body")]
    public async Task Body_that_is_not_a_supported_image_is_refused(string body, string code)
    {
        await using var server = FaultServer.Answering("200 OK", Encoding.ASCII.GetBytes(body), "Content-Type: image/jpeg");
        Assert.Equal(code, (await FailureAsync(server.Url)).Code);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("gzip, gzip")]
    [InlineData("br")]
    [InlineData("identity, deflate")]
    public async Task Compressed_body_is_refused(string encoding)
    {
        await using var server = FaultServer.Answering("200 OK", Image, "Content-Encoding: " + encoding);
        Assert.Equal(ImageFailureCodes.ContentEncoding, (await FailureAsync(server.Url)).Code);
    }

    [Fact]
    public async Task Content_length_beyond_the_limit_is_refused_before_the_body_is_read()
    {
        await using var server = new FaultServer(async exchange =>
        {
            await exchange.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
            await exchange.PauseAsync(TimeSpan.FromSeconds(30));
        });
        Assert.Equal(ImageFailureCodes.TooLarge, (await FailureAsync(server.Url)).Code);
    }

    [Fact]
    public async Task Endless_body_is_refused_at_the_limit()
    {
        var sent = 0L;
        await using var server = new FaultServer(async exchange =>
        {
            await exchange.WriteAsync("HTTP/1.1 200 OK\r\n\r\n");
            for (var block = new byte[16_384]; ; sent += block.Length)
                await exchange.WriteAsync(block);
        });
        Assert.Equal(ImageFailureCodes.TooLarge, (await FailureAsync(server.Url, options => options.MaxBytes = 200_000)).Code);
        // Socket buffers may take some more; what we read is limited by the length of our buffer.
        Assert.True(sent < 20_000_000, $"{sent} bytes were taken");
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nGIF89a", "incomplete", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nGIF89a\r\n", "bad_response", false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nGIF89a\r\n", "incomplete", true)]
    [InlineData("GIF89a\r\n\r\n", "bad_response", false)]
    [InlineData("", "incomplete", true)]
    public async Task Broken_response_is_a_failure_with_a_code(string answer, string code, bool transient)
    {
        await using var server = new FaultServer(async exchange =>
        {
            await exchange.WriteAsync(answer);
            exchange.Close();
        });
        var failure = await FailureAsync(server.Url);
        Assert.Equal((code, transient), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task Bytes_beyond_the_content_length_are_ignored()
    {
        await using var server = new FaultServer(async exchange =>
        {
            await exchange.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Image.Length}\r\n\r\n");
            await exchange.WriteAsync([.. Image, .. Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")]);
        });
        using var fetcher = TestEgress.Fetcher(TestEgress.Options());
        for (var i = 0; i < 2; i++)
        {
            using var image = await fetcher.FetchAsync(server.Url, CancellationToken.None);
            Assert.Equal(Image, image.Memory.ToArray());
        }

        Assert.Equal(2, server.Connections);
    }

    [Fact]
    public async Task Reset_in_the_middle_is_a_transient_failure()
    {
        await using var server = new FaultServer(async exchange =>
        {
            await exchange.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nGIF89a");
            exchange.Reset();
        });
        Assert.True((await FailureAsync(server.Url)).IsTransient);
    }

    [Theory]
    [InlineData(70_000, 1)]
    [InlineData(30, 4_000)]
    public async Task Headers_beyond_the_limit_are_refused(int length, int count)
    {
        await using var server = new FaultServer(async exchange =>
        {
            await exchange.WriteAsync("HTTP/1.1 200 OK\r\n");
            for (var i = 0; i < count; i++)
                await exchange.WriteAsync($"X-{i}: {new string('a', length)}\r\n");
            await exchange.WriteAsync("\r\n");
        });
        Assert.Equal(ImageFailureCodes.BadResponse, (await FailureAsync(server.Url)).Code);
    }

    [Fact]
    public async Task Slow_headers_time_out()
    {
        await using var server = new FaultServer(async exchange =>
        {
            foreach (var letter in "HTTP/1.1 200 OK")
            {
                await exchange.WriteAsync(letter.ToString());
                await exchange.PauseAsync(TimeSpan.FromMilliseconds(200));
            }
        });
        var failure = await FailureAsync(server.Url, options => options.Connect = options.Headers = TimeSpan.FromSeconds(0.5));
        Assert.Equal((ImageFailureCodes.Timeout, true), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task Server_that_accepts_but_never_starts_tls_hits_the_connect_timeout()
    {
        await using var server = new FaultServer(exchange => exchange.PauseAsync(TimeSpan.FromSeconds(30)));
        var failure = await FailureAsync(new Uri($"https://127.0.0.1:{server.Port}/"), options => options.Connect = TimeSpan.FromSeconds(0.5));
        Assert.True(failure.IsTransient);
    }

    [Fact]
    public async Task Untrusted_certificate_is_a_permanent_failure()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-2), now.AddDays(-1));
        using var usable = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
        await using var server = new FaultServer(exchange => exchange.AnswerAsync("200 OK", Image), usable);
        var failure = await FailureAsync(new Uri($"https://127.0.0.1:{server.Port}/"));
        Assert.Equal((ImageFailureCodes.TlsFailed, false), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public void Proxies_cookies_and_credentials_of_the_environment_are_not_used()
    {
        using var handler = TestEgress.Guard(TestEgress.Options()).CreateHandler();
        Assert.False(handler.UseProxy);
        Assert.False(handler.UseCookies);
        Assert.False(handler.AllowAutoRedirect);
        Assert.Null(handler.Credentials);
        Assert.Equal(System.Net.DecompressionMethods.None, handler.AutomaticDecompression);
    }

    [Fact]
    public async Task Trickling_body_is_cancelled()
    {
        await using var server = new FaultServer(async exchange =>
        {
            await exchange.WriteAsync("HTTP/1.1 200 OK\r\n\r\n");
            while (true)
            {
                await exchange.WriteAsync("a");
                await exchange.PauseAsync(TimeSpan.FromMilliseconds(50));
            }
        });
        var failure = await FailureAsync(server.Url, options => options.MinRateAfter = TimeSpan.FromSeconds(0.5));
        Assert.Equal((ImageFailureCodes.TooSlow, true), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task Total_timeout_covers_all_redirects()
    {
        await using var server = new FaultServer(async exchange =>
        {
            await exchange.PauseAsync(TimeSpan.FromMilliseconds(400));
            await exchange.RedirectAsync("/next");
        });
        var failure = await FailureAsync(server.Url, options => options.Connect = options.Headers = options.Total = TimeSpan.FromSeconds(0.7));
        Assert.Equal(ImageFailureCodes.Timeout, failure.Code);
    }

    [Theory]
    [InlineData("301 Moved Permanently")]
    [InlineData("302 Found")]
    [InlineData("303 See Other")]
    [InlineData("307 Temporary Redirect")]
    [InlineData("308 Permanent Redirect")]
    public async Task Redirect_is_followed_without_cookies(string status)
    {
        var heads = new List<string>();
        await using var server = new FaultServer(exchange =>
        {
            lock (heads)
                heads.Add(exchange.Head);
            return exchange.Path == "/end"
                ? exchange.AnswerAsync("200 OK", Image)
                : exchange.AnswerAsync(status, [], "Location: end", "Set-Cookie: a=b");
        });
        using var fetcher = TestEgress.Fetcher(TestEgress.Options());
        using var image = await fetcher.FetchAsync(server.Url, CancellationToken.None);
        Assert.Equal("/end", image.FinalUri.AbsolutePath);
        Assert.DoesNotContain(heads, head => head.Contains("Cookie", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/", "forbidden_address")]
    [InlineData("http://10.0.0.1/", "forbidden_address")]
    [InlineData("http://0.0.0.0:6379/", "forbidden_address")]
    [InlineData("http://[::ffff:192.168.0.1]/", "forbidden_address")]
    [InlineData("http://inside.test/", "forbidden_address")]
    [InlineData("file:///etc/passwd", "forbidden_scheme")]
    [InlineData("gopher://127.0.0.1:6379/_FLUSHALL", "forbidden_scheme")]
    [InlineData("http://user:secret@127.0.0.1/", "invalid_url")]
    [InlineData("http://", "bad_redirect")]
    public async Task Redirect_is_checked_like_a_first_address(string location, string code)
    {
        await using var server = new FaultServer(exchange => exchange.RedirectAsync(location));
        using var fetcher = TestEgress.Fetcher(TestEgress.Options(), new FakeResolver().Answer("inside.test", "10.1.2.3"));
        var failed = await Assert.ThrowsAsync<ImageFailedException>(() => fetcher.FetchAsync(server.Url, CancellationToken.None));
        Assert.Equal(code, failed.Failure.Code);
    }

    [Fact]
    public async Task Redirect_loop_ends_at_the_limit()
    {
        var requests = 0;
        await using var server = new FaultServer(exchange =>
        {
            Interlocked.Increment(ref requests);
            return exchange.RedirectAsync("/again");
        });
        Assert.Equal(ImageFailureCodes.TooManyRedirects, (await FailureAsync(server.Url)).Code);
        Assert.Equal(6, requests);
    }

    [Fact]
    public async Task Connections_per_host_are_limited()
    {
        await using var server = new FaultServer(async exchange =>
        {
            await exchange.PauseAsync(TimeSpan.FromMilliseconds(20));
            await exchange.AnswerAsync("200 OK", Image, "Connection: close");
            exchange.Close();
        });
        using var fetcher = TestEgress.Fetcher(TestEgress.Options());
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ => (await fetcher.FetchAsync(server.Url, CancellationToken.None)).Dispose()));
        Assert.InRange(server.PeakConnections, 1, 4);
        Assert.Equal(40, server.Connections);
    }

    [Fact]
    public async Task Requests_per_second_to_a_host_are_limited_and_those_to_another_are_not_delayed()
    {
        await using var server = FaultServer.Answering("200 OK", Image);
        var resolver = new FakeResolver().Answer("victim.test", "127.0.0.1").Answer("other.test", "127.0.0.1");
        using var fetcher = TestEgress.Fetcher(TestEgress.Options(options => (options.RequestsPerSecondPerHost, options.HostWait) = (10, TimeSpan.FromMinutes(5))), resolver);
        var started = Stopwatch.GetTimestamp();

        var victim = Task.WhenAll(Enumerable.Range(0, 21).Select(_ => FetchAsync("victim.test")));
        await FetchAsync("other.test");
        Assert.False(victim.IsCompleted);
        await victim;

        // The first at once, and twenty more a tenth of a second apart.
        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromSeconds(1.95));

        async Task FetchAsync(string host) => (await fetcher.FetchAsync(new Uri($"http://{host}:{server.Port}/"), CancellationToken.None)).Dispose();
    }

    [Fact]
    public async Task A_request_whose_turn_is_too_far_away_is_released()
    {
        await using var server = FaultServer.Answering("200 OK", Image);
        var resolver = new FakeResolver().Answer("victim.test", "127.0.0.1");
        using var fetcher = TestEgress.Fetcher(TestEgress.Options(options => (options.RequestsPerSecondPerHost, options.HostWait) = (1, TimeSpan.FromSeconds(0.1))), resolver);
        var url = new Uri($"http://victim.test:{server.Port}/");
        (await fetcher.FetchAsync(url, CancellationToken.None)).Dispose();

        var failed = await Assert.ThrowsAsync<ImageFailedException>(() => fetcher.FetchAsync(url, CancellationToken.None));

        Assert.Equal((ImageFailureCodes.HostBusy, true), (failed.Failure.Code, failed.Failure.IsTransient));
    }

    /// <summary>Every URL is refused, or its control characters stay escaped.</summary>
    [Fact]
    public async Task No_URL_adds_a_header_to_the_request()
    {
        var heads = new ConcurrentQueue<string>();
        await using var server = new FaultServer(exchange =>
        {
            heads.Enqueue(exchange.Head);
            return exchange.AnswerAsync("200 OK", Image);
        });
        var guard = TestEgress.Guard(TestEgress.Options());
        using var fetcher = TestEgress.Fetcher(TestEgress.Options());
        string[] breaks = ["\r\n", "\n", "\r", "%0d%0a", "%0D%0A", "%0a", "%E5%98%8A%E5%98%8D", "\u560a\u560d", "\u2028", "\u0085", "\t", "\0", "%00", "%250d%250a", "\\r\\n", "\v", "\f", " HTTP/1.1\r\n"];
        var urls = breaks.SelectMany(text => new[] { $"/a{text}X-Injected: 1", $"/?q={text}X-Injected: 1", $"/a.jpg#{text}X-Injected: 1" });
        if (HostileCorpus.Folder is not null)
            urls = urls.Concat(File.ReadLines(HostileCorpus.File("strings", "fuzzdb", "crlf-injection.txt")).Concat(File.ReadLines(HostileCorpus.File("strings", "payloads", "crlfinjection.txt")))
                .Select(line => "/" + line.TrimStart('/')));

        var asked = 0;
        foreach (var path in urls)
            if (guard.CheckUrl($"http://127.0.0.1:{server.Port}{path}", out var url) is null)
            {
                asked++;
                (await fetcher.FetchAsync(url!, CancellationToken.None)).Dispose();
            }

        Assert.InRange(asked, 10, 10_000);
        Assert.Equal(asked, heads.Count);
        Assert.All(heads, head => Assert.Equal(
            ["Accept", "Accept-Encoding", "Host", "User-Agent"],
            head.Split('\r', '\n').Skip(1).Where(line => line.Length > 0).Select(line => line.Split(':')[0]).Order()));
    }

    [Fact]
    public async Task Image_that_waits_too_long_for_its_host_is_released()
    {
        var arrived = new SemaphoreSlim(0);
        await using var server = new FaultServer(async exchange =>
        {
            arrived.Release();
            await exchange.PauseAsync(TimeSpan.FromSeconds(30));
        });
        using var fetcher = TestEgress.Fetcher(TestEgress.Options(options => (options.ConnectionsPerHost, options.HostWait) = (1, TimeSpan.FromSeconds(0.2))));
        using var stop = new CancellationTokenSource();
        var stuck = fetcher.FetchAsync(server.Url, stop.Token);
        await arrived.WaitAsync();
        var failed = await Assert.ThrowsAsync<ImageFailedException>(() => fetcher.FetchAsync(server.Url, CancellationToken.None));
        Assert.Equal((ImageFailureCodes.HostBusy, true), (failed.Failure.Code, failed.Failure.IsTransient));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stuck);
    }

    [Fact]
    public async Task A_slow_download_gives_way_to_another_owner_and_later_goes_on_in_the_slow_lane()
    {
        using var arrived = new SemaphoreSlim(0);
        await using var server = new FaultServer(exchange =>
        {
            if (exchange.Path == "/image.jpg")
                return exchange.AnswerAsync("200 OK", Image);
            arrived.Release();
            return exchange.PauseAsync(Timeout.InfiniteTimeSpan);
        });
        using var fetcher = TestEgress.Fetcher(
            TestEgress.Options(options => (options.ConnectionsPerHost, options.Headers, options.Total) = (10, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5))),
            new ImageWorkOptions { Downloads = 2, PreemptAfter = TimeSpan.FromSeconds(0.1) });
        using var stop = new CancellationTokenSource();
        var (slow, quick) = (new OwnerId(Guid.NewGuid()), new OwnerId(Guid.NewGuid()));
        var waiting = Enumerable.Range(0, 2).Select(_ => fetcher.FetchAsync(server.At("/slow.jpg"), slow, 0, stop.Token)).ToList();
        await arrived.WaitAsync();
        await arrived.WaitAsync();

        using var image = await fetcher.FetchAsync(server.Url, quick, 0, stop.Token);

        var failed = await Assert.ThrowsAsync<ImageFailedException>(async () => await await Task.WhenAny(waiting));
        Assert.Equal((ImageFailureCodes.Preempted, true, false), (failed.Failure.Code, failed.Failure.IsTransient, failed.Failure.UsesAttempt));
        Assert.Equal(1, waiting.Count(fetch => !fetch.IsCompleted));

        waiting.Add(fetcher.FetchAsync(server.At("/slow.jpg"), slow, preemptions: 3, stop.Token));
        await arrived.WaitAsync();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting[^1]);
    }

    [Theory]
    [InlineData("silent.test", "/image.jpg")]
    [InlineData("quick.test", "/moved.jpg")]
    public async Task Images_waiting_for_a_silent_host_do_not_block_downloads_from_others(string host, string path)
    {
        var silent = new TaskCompletionSource();
        await using var server = new FaultServer(exchange =>
        {
            if (exchange.Path == "/moved.jpg")
                return exchange.RedirectAsync($"http://silent.test:{exchange.Port}/image.jpg");
            if (exchange.Head.Contains("Host: quick.test", StringComparison.Ordinal))
                return exchange.AnswerAsync("200 OK", Image);
            silent.SetResult();
            return exchange.PauseAsync(Timeout.InfiniteTimeSpan);
        });
        var resolver = new FakeResolver().Answer("silent.test", "127.0.0.1").Answer("quick.test", "127.0.0.1");
        using var fetcher = TestEgress.Fetcher(
            TestEgress.Options(options => (options.ConnectionsPerHost, options.Headers, options.Total) = (1, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5))), resolver, downloads: 2);
        using var stop = new CancellationTokenSource();
        var waiting = new List<Task> { fetcher.FetchAsync(new Uri($"http://silent.test:{server.Port}/image.jpg"), stop.Token) };
        await silent.Task;
        for (var i = 0; i < 4; i++)
            waiting.Add(fetcher.FetchAsync(new Uri($"http://{host}:{server.Port}{path}"), stop.Token));

        using var image = await fetcher.FetchAsync(new Uri($"http://quick.test:{server.Port}/image.jpg"), stop.Token).WaitAsync(Eventually.Patience);

        Assert.Equal(Image, image.Memory.ToArray());
        Assert.DoesNotContain(waiting, fetch => fetch.IsCompleted);
        await stop.CancelAsync();
        foreach (var fetch in waiting)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch);
    }

    [Fact]
    public async Task Cancellation_is_not_an_image_failure()
    {
        await using var server = new FaultServer(exchange => exchange.PauseAsync(TimeSpan.FromSeconds(30)));
        using var fetcher = TestEgress.Fetcher(TestEgress.Options());
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetcher.FetchAsync(server.Url, stop.Token));
    }

    private static async Task<ImageFailure> FailureAsync(Uri uri, Action<EgressOptions>? change = null)
    {
        using var fetcher = TestEgress.Fetcher(TestEgress.Options(change));
        return (await Assert.ThrowsAsync<ImageFailedException>(() => fetcher.FetchAsync(uri, CancellationToken.None))).Failure;
    }
}
