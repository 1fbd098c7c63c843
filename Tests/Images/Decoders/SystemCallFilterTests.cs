using System.Runtime.Versioning;
using Darkroom.Images.Decoders.Linux;

namespace Darkroom.Tests.Images.Decoders;

/// <summary>What the filter of system calls answers, on both architectures, evaluated as the kernel does.</summary>
[SupportedOSPlatform("linux")]
public sealed class SystemCallFilterTests
{
    private const int Own = 4_711;
    private const int ThreadFlag = 0x10000;
    private const uint X32 = 0x40000000;

    // Beyond the last call that any kernel has.
    private const uint Calls = 1_024;

    public static TheoryData<string> Architectures => ["x64", "arm64"];

    /// <summary>Name, then the number on x64 and on arm64.</summary>
    public static TheoryData<string, uint, uint> Hostile => new()
    {
        { "socket", 41, 198 }, { "connect", 42, 203 }, { "bind", 49, 200 }, { "sendto", 44, 206 }, { "sendmsg", 46, 211 },
        { "execve", 59, 221 }, { "execveat", 322, 281 }, { "ptrace", 101, 117 }, { "process_vm_readv", 310, 270 },
        { "process_vm_writev", 311, 271 }, { "mount", 165, 40 }, { "unshare", 272, 97 }, { "setns", 308, 268 }, { "chroot", 161, 51 },
        { "bpf", 321, 280 }, { "keyctl", 250, 219 }, { "perf_event_open", 298, 241 }, { "userfaultfd", 323, 282 }, { "init_module", 175, 105 },
        { "finit_module", 313, 273 }, { "kexec_load", 246, 104 }, { "open_by_handle_at", 304, 265 }, { "personality", 135, 92 },
        { "pidfd_send_signal", 424, 424 }, { "io_uring_setup", 425, 425 }, { "pidfd_open", 434, 434 }, { "pidfd_getfd", 438, 438 },
    };

    /// <summary>Without these the runtime cannot run.</summary>
    public static TheoryData<string, uint, uint> Harmless => new()
    {
        { "read", 0, 63 }, { "write", 1, 64 }, { "close", 3, 57 }, { "openat", 257, 56 }, { "mmap", 9, 222 }, { "munmap", 11, 215 },
        { "mprotect", 10, 226 }, { "madvise", 28, 233 }, { "futex", 202, 98 }, { "rt_sigreturn", 15, 139 }, { "exit_group", 231, 94 },
        { "clock_gettime", 228, 113 }, { "membarrier", 324, 283 }, { "sched_yield", 24, 124 },
    };

    [Fact]
    public void Every_number_of_both_architectures_gets_the_intended_verdict()
    {
        foreach (var numbers in (LinuxNumbers[])[LinuxNumbers.X64, LinuxNumbers.Arm64])
        {
            var refused = numbers.Refused.ToHashSet();
            Assert.Equal(refused.Count, numbers.Refused.Count());
            for (var number = 0u; number < Calls; number++)
            {
                var expected = (int)number switch
                {
                    LinuxNumbers.CloneThree => SystemCallFilter.NotImplemented,
                    var call when refused.Contains(call) || call == numbers.Clone || call == numbers.SendSignal || call == numbers.SendThreadSignal =>
                        SystemCallFilter.NotPermitted,
                    _ => SystemCallFilter.Allow,
                };
                Assert.True(expected == Verdict(numbers, number, argument: 1), $"{number} on {numbers.AuditArchitecture:x}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void What_hostile_code_would_want_is_refused(string name, uint x64, uint arm64)
    {
        Assert.True(SystemCallFilter.NotPermitted == Verdict(LinuxNumbers.X64, x64), name);
        Assert.True(SystemCallFilter.NotPermitted == Verdict(LinuxNumbers.Arm64, arm64), name);
    }

    [Theory]
    [MemberData(nameof(Harmless))]
    public void What_the_runtime_needs_is_allowed(string name, uint x64, uint arm64)
    {
        Assert.True(SystemCallFilter.Allow == Verdict(LinuxNumbers.X64, x64), name);
        Assert.True(SystemCallFilter.Allow == Verdict(LinuxNumbers.Arm64, arm64), name);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void New_threads_are_allowed_and_new_processes_are_not(string architecture)
    {
        var numbers = Of(architecture);
        Assert.Equal(SystemCallFilter.Allow, Verdict(numbers, (uint)numbers.Clone, ThreadFlag | 17));
        Assert.Equal(SystemCallFilter.NotPermitted, Verdict(numbers, (uint)numbers.Clone, 17));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Only_its_own_process_gets_signals(string architecture)
    {
        var numbers = Of(architecture);
        foreach (var call in (int[])[numbers.SendSignal, numbers.SendThreadSignal])
        {
            Assert.Equal(SystemCallFilter.Allow, Verdict(numbers, (uint)call, Own));
            foreach (var other in (int[])[Own + 1, 1, 0, -1, -Own])
                Assert.Equal(SystemCallFilter.NotPermitted, Verdict(numbers, (uint)call, other));
        }
    }

    /// <summary>i386, 32-bit ARM, RISC-V, and the other of ours: the numbers mean other calls there.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_call_of_another_architecture_ends_the_process(string architecture)
    {
        var numbers = Of(architecture);
        uint[] others = [0x40000003, 0x40000028, 0xc00000f3, LinuxNumbers.X64.AuditArchitecture, LinuxNumbers.Arm64.AuditArchitecture];
        foreach (var other in others.Where(other => other != numbers.AuditArchitecture))
            for (var number = 0u; number < Calls; number++)
                Assert.Equal(SystemCallFilter.KillProcess, Verdict(numbers, number, architecture: other));
    }

    [Fact]
    public void No_call_can_be_made_by_its_x32_number()
    {
        for (var number = 0u; number < Calls; number++)
            Assert.Equal(SystemCallFilter.NotPermitted, Verdict(LinuxNumbers.X64, X32 | number));
    }

    private static LinuxNumbers Of(string architecture) => architecture == "x64" ? LinuxNumbers.X64 : LinuxNumbers.Arm64;

    private static uint Verdict(LinuxNumbers numbers, uint number, int argument = 0, uint? architecture = null) =>
        PacketFilter.Run(SystemCallFilter.Build(numbers, Own), number, architecture ?? numbers.AuditArchitecture, (uint)argument);
}
