using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Darkroom.Images;
using Darkroom.Images.Decoders;
using Darkroom.Images.Decoders.Linux;

namespace Darkroom.Tests.Images.Decoders;

/// <summary>
/// A decoder that does what the file says, as one would whose code a hostile file has taken over, and otherwise decodes. It is not confined.
/// </summary>
internal static class StandInDecoder
{
    public const string Verb = "stand-in";

    /// <summary>Anywhere in a file, followed by the name of a misbehaviour and a full stop.</summary>
    public const string Marker = "MISBEHAVE:";

    private static int _served;

    public static int Run()
    {
        DecoderHost.Serve(Containment.None, options =>
        {
            var executor = PlanExecutor.Create(options, TimeProvider.System);
            return (file, plan, result) => Answer(executor, file, plan, result);
        });
        return 0;
    }

    /// <summary>A file that causes a misbehaviour.</summary>
    public static byte[] File(string misbehaviour) => Encoding.ASCII.GetBytes($"{Marker}{misbehaviour}.");

    private static DecoderAnswer Answer(PlanExecutor executor, PooledBuffer file, ImagePlan plan, PooledBuffer result)
    {
        _served++;
        var png = TestImages.TinyPng;
        switch (Misbehaviour(file.Span))
        {
            case "crash":
                Environment.FailFast("as told");
                break;
            case "crash unless fresh" when _served > 1:
                Environment.FailFast("as told");
                break;
            case "hang":
                WaitForever();
                break;
            case "flood":
                Flood();
                Environment.Exit(3);
                break;
            case "claim":
                Console.OpenStandardOutput().Write([10, 0, 0, 0, 255, 255, 255, 127]);
                WaitForever();
                break;
            case "chatter":
                Console.OpenStandardOutput().Write("Hello, world! Hello, world!"u8);
                WaitForever();
                break;
            case "out of memory":
                return new DecoderAnswer(OutOfMemory: true);
            case "out of memory unless fresh" when _served > 1:
                return new DecoderAnswer(OutOfMemory: true);
            case "lie about format":
                result.Write(png);
                return Report(ImageFormat.Jpeg, 1, result.Length);
            case "lie about length":
                result.Write(png);
                return Report(ImageFormat.Png, 1, result.Length + 1);
            case "lie about size":
                result.Write(png);
                return Report(ImageFormat.Png, 0, result.Length);
            case "unknown code":
                return new DecoderAnswer(Code: "all_your_base", Message: "Visit https://evil.example");
            case "control characters":
                return new DecoderAnswer(Code: ImageFailureCodes.CorruptImage, Message: "Line\r\nbreak");
        }

        if (Misbehaviour(file.Span) is not null)
        {
            result.Write(png);
            return Report(ImageFormat.Png, Environment.ProcessId, result.Length);
        }

        return new DecoderAnswer(executor.Run(file.Memory, plan, result));
    }

    /// <summary>Writes a megabyte of errors as native code does, which nobody reads.</summary>
    private static void Flood()
    {
        if (!OperatingSystem.IsLinux())
            return;
        LinuxCalls.SetNonBlocking(2);
        var line = Encoding.ASCII.GetBytes("\u001b[31m" + new string('x', 1_000) + "\n");
        var native = Marshal.AllocHGlobal(line.Length);
        Marshal.Copy(line, 0, native, line.Length);
        for (var i = 0; i < 1_000; i++)
            LinuxCalls.Call(RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 ? 1 : 64, 2, native, line.Length, 0);
    }

    private static void WaitForever() => new ManualResetEventSlim().Wait();

    /// <summary>A report whose width may tell the process that wrote it.</summary>
    private static DecoderAnswer Report(ImageFormat format, int width, long bytes) =>
        new(new CodecReport(new ImageFacts(ImageFormat.Png, 1, 1, 1), new ImageFacts(format, width, 1, bytes), 1, OutputEncoding.Encoded));

    private static string? Misbehaviour(ReadOnlySpan<byte> file)
    {
        var at = file.IndexOf(Encoding.ASCII.GetBytes(Marker));
        if (at < 0)
            return null;
        var name = file[(at + Marker.Length)..];
        return Encoding.ASCII.GetString(name[..name.IndexOf((byte)'.')]);
    }
}
