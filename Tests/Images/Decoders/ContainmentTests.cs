using System.Diagnostics;
using System.Text.Json;
using Darkroom.Images;
using Darkroom.Images.Decoders;
using Darkroom.Tests.Infrastructure;
using NetVips;

namespace Darkroom.Tests.Images.Decoders;

/// <summary>What a decoder cannot do even if a file takes it over. Linux only: elsewhere the worker says that decoders are not confined.</summary>
public sealed class ContainmentTests
{
    private const int Megabyte = 1_048_576;

    [LinuxFact]
    public async Task A_confined_process_reaches_no_network_program_process_or_file_of_others()
    {
        var start = TestDecoders.Tests(ContainmentProbe.Verb).StartInfo(new DecoderLimits(256 * Megabyte, 600));
        start.RedirectStandardError = false;
        using var probe = Process.Start(start)!;
        var output = await probe.StandardOutput.ReadToEndAsync();
        await probe.WaitForExitAsync();
        var result = JsonSerializer.Deserialize<ProbeResult>(output)!;

        Assert.True(result.Containment.IsComplete, result.Containment.Missing);
        string[] harmless = ["signal itself", "start a thread", "take 20 MB", "look at its own memory map"];
        foreach (var (attempt, end) in result.Attempts)
        {
            var expected = attempt switch
            {
                _ when harmless.Contains(attempt) => "done",
                _ when attempt.StartsWith("take", StringComparison.Ordinal) => nameof(OutOfMemoryException),
                _ when attempt.StartsWith("read", StringComparison.Ordinal) || attempt.StartsWith("write", StringComparison.Ordinal) =>
                    nameof(UnauthorizedAccessException),
                _ => "EPERM",
            };
            Assert.True(expected == end, $"{attempt}: {end}");
        }
    }

    [LinuxFact]
    public async Task A_decoder_has_no_secrets_no_sockets_and_no_files_of_the_worker()
    {
        using var pool = TestDecoders.Create(new ImageOptions { CodecSlots = 1 });
        await pool.StartAsync(CancellationToken.None);
        using var result = new PooledBuffer();
        await pool.RunAsync(TestImages.Photo(ImageFormat.Jpeg), CodecFixture.Compress, result, CancellationToken.None);
        var decoder = Assert.Single(pool.Processes);

        var environment = await File.ReadAllTextAsync($"/proc/{decoder}/environ");
        Assert.NotNull(Environment.GetEnvironmentVariable("PATH"));
        Assert.All(
            environment.Split('\0', StringSplitOptions.RemoveEmptyEntries),
            variable => Assert.Matches("^(DOTNET_|MALLOC_|VIPS_|LD_LIBRARY_PATH=)", variable));
        var open = Directory.EnumerateFiles($"/proc/{decoder}/fd").Select(link => new FileInfo(link).LinkTarget ?? "").ToList();
        Assert.DoesNotContain(open, target => target.StartsWith("socket:", StringComparison.Ordinal));
        Assert.All(
            open.Where(target => target.StartsWith('/')),
            target => Assert.True(target.EndsWith(".dll", StringComparison.Ordinal) || target.StartsWith("/memfd:", StringComparison.Ordinal)
                || target is "/dev/urandom" or "/dev/null", target));
    }

    [LinuxFact]
    public async Task A_decoder_has_a_session_of_its_own()
    {
        using var pool = TestDecoders.Create(new ImageOptions { CodecSlots = 1 });
        await pool.StartAsync(CancellationToken.None);
        using var result = new PooledBuffer();
        await pool.RunAsync(TestImages.Photo(ImageFormat.Jpeg), CodecFixture.Compress, result, CancellationToken.None);
        var decoder = Assert.Single(pool.Processes);

        // After the name: state, parent, process group, session.
        var status = await File.ReadAllTextAsync($"/proc/{decoder}/stat");
        Assert.Equal($"{decoder}", status[(status.LastIndexOf(')') + 2)..].Split(' ')[3]);
    }

    [LinuxFact]
    public async Task Every_thread_of_a_decoder_is_confined()
    {
        using var pool = TestDecoders.Create(new ImageOptions { CodecSlots = 1 });
        await pool.StartAsync(CancellationToken.None);
        using var result = new PooledBuffer();
        await pool.RunAsync(TestImages.Photo(ImageFormat.Png), CodecFixture.Compress, result, CancellationToken.None);

        var threads = Directory.GetDirectories($"/proc/{Assert.Single(pool.Processes)}/task");

        Assert.True(threads.Length > 1);
        Assert.All(threads, thread =>
        {
            var status = File.ReadAllText(thread + "/status");
            Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
            Assert.Contains("Seccomp:\t2", status, StringComparison.Ordinal);
            Assert.Contains("CapEff:\t0000000000000000", status, StringComparison.Ordinal);
        });
        Assert.True(pool.Containment!.IsComplete, pool.Containment.Missing);
    }

    [LinuxFact]
    public async Task Signals_that_stop_the_worker_do_not_stop_its_decoders()
    {
        using var pool = TestDecoders.Create(new ImageOptions { CodecSlots = 1 });
        await pool.StartAsync(CancellationToken.None);
        using var result = new PooledBuffer();
        await pool.RunAsync(TestImages.Photo(ImageFormat.Jpeg), CodecFixture.Compress, result, CancellationToken.None);
        var decoder = Assert.Single(pool.Processes);
        foreach (var signal in (string[])["-INT", "-TERM"])
        {
            using var kill = Process.Start("kill", [signal, $"{decoder}"]);
            await kill.WaitForExitAsync();
        }

        await pool.RunAsync(TestImages.Photo(ImageFormat.Jpeg), CodecFixture.Compress, result, CancellationToken.None);

        Assert.Equal(decoder, Assert.Single(pool.Processes));
    }

    [LinuxFact]
    public async Task An_image_that_needs_more_memory_than_allowed_fails_alone()
    {
        using var pool = TestDecoders.Create(new ImageOptions { CodecSlots = 1 }, options: new DecoderOptions { MemoryMegabytes = 384 });
        await pool.StartAsync(CancellationToken.None);
        using var result = new PooledBuffer();
        // To choose a palette, the encoder needs all its 49 million pixels at once.
        using var black = Image.Black(7_000, 7_000, bands: 3);
        using var image = black.Copy(interpretation: Enums.Interpretation.Srgb);
        var bomb = image.PngsaveBuffer();
        var refused = await Assert.ThrowsAsync<ImageFailedException>(() => pool.RunAsync(bomb, CodecFixture.Compress, result, CancellationToken.None));
        // Some of the libraries say so when they get no memory; others end the process, or use it nevertheless.
        Assert.Contains(refused.Failure.Code, (string[])[ImageFailureCodes.TooComplex, ImageFailureCodes.DecoderCrashed]);

        await pool.RunAsync(TestImages.Photo(ImageFormat.Jpeg), CodecFixture.Compress, result, CancellationToken.None);
    }
}
