using System.Diagnostics;
using System.Net;
using System.Runtime.Versioning;
using System.Text;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Faults;
using Darkroom.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Darkroom.Tests.Api;

/// <summary>A14: the API judges a CSV while it streams in, so its memory depends neither on the size of the file nor on its shape.</summary>
[SupportedOSPlatform("linux")]
public sealed class UploadMemoryTests(ITestOutputHelper output)
{
    // Above the pooled buffers of the parts on their way to S3 and what the collector leaves for later; below the files.
    private const int Megabytes = 80;

    private static readonly int FileBytes = LongRun.Or(96, 500) << 20;

    private const string Valid = "valid";

    [LinuxFact]
    public async Task Large_uploads_of_any_shape_take_little_memory()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var (api, client) = await system.StartApiProcessAsync();
        using var owned = client;
        await UploadAsync(client, "small", Encoding.UTF8.GetBytes(ProductCsv.Of([system.Images.Good(1)])), 1);
        var row = Encoding.UTF8.GetBytes($"1.,{new string('x', 4_000)},{system.Images.Good(1)}\n");
        var header = Encoding.UTF8.GetBytes(ProductCsv.Header + "\n");
        (string Shape, byte[] Start, byte[] Repeated)[] files =
        [
            (Valid, header, row),
            ("one cell", [.. header, .. "1.,"u8], row[3..4_000]),
            ("unclosed quote", [.. header, .. "1.,\""u8], row),
            ("one row of many cells", header, [.. Enumerable.Repeat((byte)',', 4_000)]),
            ("one header of many columns", header[..^1], [.. Enumerable.Repeat((byte)',', 4_000)]),
            ("every row wrong", header, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("x,y\n", 1_000)))),
        ];
        foreach (var (shape, start, repeated) in files)
        {
            var memory = PeakMemory.Start(api.Id);
            var clock = Stopwatch.StartNew();
            var status = await UploadAsync(client, shape, start, FileBytes / repeated.Length, repeated);
            Assert.True(shape == Valid ? status == HttpStatusCode.Accepted : status is HttpStatusCode.UnprocessableEntity or null, $"{shape}: {status}");
            output.WriteLine($"{shape}: {clock.Elapsed.TotalSeconds:0.0} s, {memory.GrowthMegabytes:0} MB");
            Assert.True(memory.GrowthMegabytes <= Megabytes, $"{shape}: {memory.GrowthMegabytes:0} MB");
        }
    }

    [HostileCorpusFact]
    public async Task Every_hostile_CSV_is_answered_and_takes_little_memory()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var (api, client) = await system.StartApiProcessAsync();
        using var owned = client;
        await UploadAsync(client, "small", Encoding.UTF8.GetBytes(ProductCsv.Of([system.Images.Good(1)])), 1);
        var figures = new List<(string Name, HttpStatusCode? Status, TimeSpan Time, double Megabytes)>();
        foreach (var file in Directory.EnumerateFiles(HostileCorpus.File("csv"), "*", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(HostileCorpus.File("made", "csv"))))
        {
            var content = await File.ReadAllBytesAsync(file);
            var memory = PeakMemory.Start(api.Id);
            var clock = Stopwatch.StartNew();
            var status = await UploadAsync(client, Path.GetFileName(file), content, 1);
            figures.Add((Path.GetFileName(file), status, clock.Elapsed, memory.GrowthMegabytes));
        }

        output.WriteLine($"{figures.Count} files: {string.Join(", ", figures.CountBy(figure => $"{figure.Status}").Select(status => $"{status.Value} {status.Key}"))}");
        foreach (var figure in figures.OrderByDescending(figure => figure.Megabytes).Take(5).Union(figures.OrderByDescending(figure => figure.Time).Take(5)))
            output.WriteLine($"{figure.Name}: {figure.Status}, {figure.Time.TotalMilliseconds:0} ms, {figure.Megabytes:0.0} MB");
        Assert.All(figures, figure =>
        {
            Assert.True(figure.Status < HttpStatusCode.InternalServerError, figure.Name);
            Assert.True(figure.Megabytes < Megabytes, $"{figure}");
            Assert.True(figure.Time < TimeSpan.FromSeconds(20), $"{figure}");
        });
    }

    /// <param name="client">Of the API.</param>
    /// <param name="name">File name.</param>
    /// <param name="start">What the file starts with.</param>
    /// <param name="times">How often what follows is repeated.</param>
    /// <param name="repeated">What follows.</param>
    /// <returns>The answer; null if the API had refused the file, and closed the connection, before all of it was sent.</returns>
    private static async Task<HttpStatusCode?> UploadAsync(DarkroomClient client, string name, byte[] start, int times, byte[]? repeated = null)
    {
        using var file = new RepeatedContent(start, repeated ?? [], times);
        using var form = new MultipartFormDataContent { { file, "file", name + ".csv" } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/requests") { Content = form };
        try
        {
            using var response = await client.Http.SendAsync(request);
            return response.StatusCode;
        }
        catch (HttpRequestException e) when (e.InnerException is IOException)
        {
            return null;
        }
    }

    /// <summary>A large file that is never in memory as a whole.</summary>
    private sealed class RepeatedContent(byte[] start, byte[] repeated, int times) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(start);
            for (var time = 0; time < times; time++)
                await stream.WriteAsync(repeated);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = start.Length + ((long)repeated.Length * times);
            return true;
        }
    }
}
