using System.Reflection;
using Darkroom.AppHost.Processes;
using Darkroom.Images;
using Darkroom.Images.Decoders;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Images.Decoders;

/// <summary>Decoders that the tests start: the worker's own, and a stand-in that misbehaves on demand.</summary>
internal static class TestDecoders
{
    private static readonly string Worker = typeof(TestDecoders).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "WorkerService").Value!;

    /// <summary>The worker's own decoder. This process cannot be one, because the test host started it.</summary>
    public static DecoderProgram Own { get; } = new(DotnetHost.Path, ["exec", Worker, DecoderProgram.Verb]);

    /// <summary>See <see cref="StandInDecoder"/>.</summary>
    public static DecoderProgram StandIn { get; } = Tests(StandInDecoder.Verb);

    /// <summary>Another program of the tests.</summary>
    public static DecoderProgram Tests(string verb) => new(DotnetHost.Path, ["exec", typeof(TestDecoders).Assembly.Location, verb]);

    public static DecoderPool Create(
        ImageOptions images, DecoderProgram? program = null, DecoderOptions? options = null, ILogger<DecoderPool>? logger = null) =>
        new(program ?? Own, TimeProvider.System, Options.Create(images), Options.Create(options ?? new DecoderOptions()),
            logger ?? NullLogger<DecoderPool>.Instance);
}
