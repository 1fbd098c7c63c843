using System.Runtime.Versioning;
using Darkroom.Images.Decoders.Linux;

namespace Darkroom.Tests.Images.Decoders;

/// <summary>Evaluates the part of classic BPF that the filter of system calls uses, as the kernel does, on a call as seccomp presents it.</summary>
[SupportedOSPlatform("linux")]
internal static class PacketFilter
{
    /// <summary>What the kernel accepts.</summary>
    private const int MaxInstructions = 4_096;

    /// <returns>The verdict.</returns>
    public static uint Run(SystemCallFilter.Instruction[] program, uint number, uint architecture, uint firstArgument)
    {
        Assert.InRange(program.Length, 1, MaxInstructions);
        var accumulator = 0u;
        // Jumps only lead forward, so it ends.
        for (var at = 0; ; at++)
        {
            Assert.InRange(at, 0, program.Length - 1);
            var instruction = program[at];
            switch (instruction.Code)
            {
                case SystemCallFilter.LoadWord:
                    accumulator = instruction.Value switch
                    {
                        0 => number,
                        4 => architecture,
                        16 => firstArgument,
                        var offset => throw new InvalidOperationException($"The filter reads offset {offset}."),
                    };
                    break;
                case SystemCallFilter.JumpIfEqual:
                    at += accumulator == instruction.Value ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case SystemCallFilter.JumpIfAtLeast:
                    at += accumulator >= instruction.Value ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case SystemCallFilter.JumpIfAnyBit:
                    at += (accumulator & instruction.Value) != 0 ? instruction.IfTrue : instruction.IfFalse;
                    break;
                case SystemCallFilter.Return:
                    return instruction.Value;
                default:
                    throw new InvalidOperationException($"Unknown instruction {instruction.Code}.");
            }
        }
    }
}
