using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Darkroom.Images.Decoders.Linux;

/// <summary>
/// Refuses, for all threads of this process, the system calls that reach the network, other processes or other programs. They fail with
/// EPERM. A seccomp filter: a small program in classic BPF that the kernel runs at every call.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class SystemCallFilter
{
    private const int SetFilterMode = 1;
    private const int AllThreads = 1;

    // Classic BPF.
    public const ushort LoadWord = 0x20;
    public const ushort JumpIfEqual = 0x15;
    public const ushort JumpIfAtLeast = 0x35;
    public const ushort JumpIfAnyBit = 0x45;
    public const ushort Return = 0x06;

    // Offsets in struct seccomp_data. The first argument's low half: all supported architectures are little-endian.
    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;
    private const uint FirstArgumentOffset = 16;

    public const uint Allow = 0x7fff0000;
    public const uint KillProcess = 0x80000000;
    public const uint NotPermitted = 0x00050000 | 1;
    public const uint NotImplemented = 0x00050000 | 38;

    // Calls in the x32 convention carry this bit and would bypass the numbers below.
    private const uint X32Bit = 0x40000000;
    private const uint ThreadFlag = 0x00010000;

    /// <summary>Needs <see cref="LinuxCalls.ForbidNewPrivileges"/> first. Cannot be undone.</summary>
    /// <exception cref="Win32Exception">The kernel has no seccomp, or forbids it here.</exception>
    public static unsafe void Install()
    {
        var program = Build(LinuxNumbers.Current, Environment.ProcessId);
        fixed (Instruction* first = program)
        {
            var header = new Program { Length = (ushort)program.Length, First = first };
            LinuxCalls.Check((int)LinuxCalls.Call(LinuxNumbers.Current.Seccomp, SetFilterMode, AllThreads, (nint)(&header), 0), "seccomp");
        }
    }

    internal static Instruction[] Build(LinuxNumbers numbers, int process)
    {
        List<Instruction> program =
        [
            new(LoadWord, ArchitectureOffset),
            new(JumpIfEqual, numbers.AuditArchitecture, whenTrue: 1),
            new(Return, KillProcess),
            new(LoadWord, NumberOffset),
        ];
        if (numbers.HasX32)
            program.AddRange([new(JumpIfAtLeast, X32Bit, whenFalse: 1), new(Return, NotPermitted)]);
        foreach (var number in numbers.Refused)
            program.AddRange([new(JumpIfEqual, (uint)number, whenFalse: 1), new(Return, NotPermitted)]);

        // The filter cannot see its arguments, which are in memory. Told that it does not exist, libc falls back to clone.
        program.AddRange([new(JumpIfEqual, LinuxNumbers.CloneThree, whenFalse: 1), new(Return, NotImplemented)]);
        // New threads, but no new processes.
        program.AddRange(IfCall(numbers.Clone, new(JumpIfAnyBit, ThreadFlag, whenTrue: 1)));
        // The runtime signals its own threads, and abort() its own process.
        foreach (var number in (int[])[numbers.SendSignal, numbers.SendThreadSignal])
            program.AddRange(IfCall(number, new(JumpIfEqual, (uint)process, whenTrue: 1)));
        program.Add(new(Return, Allow));
        return [.. program];
    }

    /// <summary>Allows the call if its first argument passes the test.</summary>
    private static Instruction[] IfCall(int number, Instruction test) =>
    [
        new(JumpIfEqual, (uint)number, whenFalse: 4),
        new(LoadWord, FirstArgumentOffset),
        test,
        new(Return, NotPermitted),
        new(Return, Allow),
    ];

    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct Instruction(ushort code, uint value, byte whenTrue = 0, byte whenFalse = 0)
    {
        public readonly ushort Code = code;
        public readonly byte IfTrue = whenTrue;
        public readonly byte IfFalse = whenFalse;
        public readonly uint Value = value;
    }

    private unsafe struct Program
    {
        public ushort Length;
        public Instruction* First;
    }
}
