using System.Collections.Concurrent;
using System.Net;
using Darkroom.Egress;
using Darkroom.Images;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Egress;

/// <summary>Guards and fetchers for tests: with short timeouts and names that resolve to whatever the test says.</summary>
internal static class TestEgress
{
    public static EgressOptions Options(Action<EgressOptions>? change = null)
    {
        var options = new EgressOptions
        {
            AllowLoopback = true,
            Connect = TimeSpan.FromSeconds(10),
            Headers = TimeSpan.FromSeconds(15),
            Total = TimeSpan.FromSeconds(30),
        };
        change?.Invoke(options);
        return options;
    }

    public static EgressGuard Guard(EgressOptions options, INameResolver? resolver = null) =>
        new(Wrap(options), resolver ?? new FakeResolver(), TimeProvider.System);

    public static ImageFetcher Fetcher(EgressOptions options, INameResolver? resolver = null, int downloads = 16) =>
        Fetcher(options, new ImageWorkOptions { Downloads = downloads }, resolver);

    public static ImageFetcher Fetcher(EgressOptions options, ImageWorkOptions work, INameResolver? resolver = null) =>
        new(
            Guard(options, resolver), new DownloadSlots(work, options.MinBytesPerSecond, TimeProvider.System), Wrap(options), Wrap(work),
            TimeProvider.System);

    /// <summary>Downloads for an owner that is alone.</summary>
    public static Task<FetchedImage> FetchAsync(this ImageFetcher fetcher, Uri uri, CancellationToken cancellationToken) =>
        fetcher.FetchAsync(uri, default, 0, cancellationToken);

    private static IOptions<T> Wrap<T>(T options) where T : class => Microsoft.Extensions.Options.Options.Create(options);
}

/// <summary>A scripted resolver: each name has a list of answers, returned in turn; the last one repeats.</summary>
internal sealed class FakeResolver : INameResolver
{
    private readonly ConcurrentDictionary<string, ConcurrentQueue<IPAddress[]>> _answers = new(StringComparer.OrdinalIgnoreCase);
    private int _lookups;

    public int Lookups => _lookups;

    public FakeResolver Answer(string host, params string[] addresses)
    {
        _answers.GetOrAdd(host, _ => new()).Enqueue([.. addresses.Select(IPAddress.Parse)]);
        return this;
    }

    public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _lookups);
        if (!_answers.TryGetValue(host, out var answers))
            throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound);
        if (answers.Count > 1 && answers.TryDequeue(out var next))
            return Task.FromResult(next);
        return Task.FromResult(answers.TryPeek(out var last) ? last : []);
    }
}
