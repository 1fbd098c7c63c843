using System.Runtime.InteropServices;

namespace Darkroom.Images.Decoders.Linux;

/// <summary>Numbers of system calls, from the kernel's tables. They differ between architectures; those above 424 are common to all.</summary>
internal sealed class LinuxNumbers
{
    public const int CloneThree = 435;
    public const int CloseRange = 436;
    public const int CreateRuleset = 444;
    public const int AddRule = 445;
    public const int RestrictSelf = 446;

    public static LinuxNumbers X64 { get; } = new()
    {
        AuditArchitecture = 0xc000003e,
        HasX32 = true,
        SetCapabilities = 126,
        Seccomp = 317,
        Clone = 56,
        SendSignal = 62,
        SendThreadSignal = 234,
        OpenAt = 257,
        RefusedHere = RefusedX64,
    };

    public static LinuxNumbers Arm64 { get; } = new()
    {
        AuditArchitecture = 0xc00000b7,
        HasX32 = false,
        SetCapabilities = 91,
        Seccomp = 277,
        Clone = 220,
        SendSignal = 129,
        SendThreadSignal = 131,
        OpenAt = 56,
        RefusedHere = RefusedArm64,
    };

    /// <summary>Those of this machine; see <see cref="IsSupported"/>.</summary>
    public static LinuxNumbers Current => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? X64 : Arm64;

    public static bool IsSupported => RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <summary>How the kernel names the architecture of a call.</summary>
    public required uint AuditArchitecture { get; init; }

    /// <summary>Whether the same calls can also be made by x32 numbers.</summary>
    public required bool HasX32 { get; init; }

    public required int SetCapabilities { get; init; }
    public required int Seccomp { get; init; }
    public required int Clone { get; init; }
    public required int SendSignal { get; init; }
    public required int SendThreadSignal { get; init; }
    public required int OpenAt { get; init; }

    /// <summary>Calls that a decoder never needs, and that hostile code would want.</summary>
    public IEnumerable<int> Refused => [.. RefusedCommon, .. RefusedHere];

    private IReadOnlyList<int> RefusedHere { get; init; } = [];

    private static int[] RefusedCommon =>
    [
        424, // pidfd_send_signal
        425, // io_uring_setup
        426, // io_uring_enter
        427, // io_uring_register
        428, // open_tree
        429, // move_mount
        430, // fsopen
        431, // fsconfig
        432, // fsmount
        433, // fspick
        434, // pidfd_open
        438, // pidfd_getfd
        440, // process_madvise
        442, // mount_setattr
        448, // process_mrelease
    ];

    private static int[] RefusedX64 =>
    [
        29, // shmget
        30, // shmat
        41, // socket
        42, // connect
        43, // accept
        44, // sendto
        45, // recvfrom
        46, // sendmsg
        47, // recvmsg
        49, // bind
        50, // listen
        53, // socketpair
        57, // fork
        58, // vfork
        59, // execve
        64, // semget
        68, // msgget
        101, // ptrace
        134, // uselib
        135, // personality
        154, // modify_ldt
        155, // pivot_root
        161, // chroot
        163, // acct
        165, // mount
        166, // umount2
        167, // swapon
        168, // swapoff
        169, // reboot
        172, // iopl
        173, // ioperm
        175, // init_module
        176, // delete_module
        179, // quotactl
        200, // tkill
        240, // mq_open
        246, // kexec_load
        248, // add_key
        249, // request_key
        250, // keyctl
        272, // unshare
        129, // rt_sigqueueinfo
        288, // accept4
        297, // rt_tgsigqueueinfo
        298, // perf_event_open
        299, // recvmmsg
        303, // name_to_handle_at
        304, // open_by_handle_at
        307, // sendmmsg
        308, // setns
        310, // process_vm_readv
        311, // process_vm_writev
        312, // kcmp
        313, // finit_module
        320, // kexec_file_load
        321, // bpf
        322, // execveat
        323, // userfaultfd
    ];

    private static int[] RefusedArm64 =>
    [
        39, // umount2
        40, // mount
        41, // pivot_root
        51, // chroot
        60, // quotactl
        89, // acct
        92, // personality
        97, // unshare
        104, // kexec_load
        105, // init_module
        106, // delete_module
        117, // ptrace
        130, // tkill
        138, // rt_sigqueueinfo
        142, // reboot
        180, // mq_open
        186, // msgget
        190, // semget
        194, // shmget
        196, // shmat
        198, // socket
        199, // socketpair
        200, // bind
        201, // listen
        202, // accept
        203, // connect
        206, // sendto
        207, // recvfrom
        211, // sendmsg
        212, // recvmsg
        217, // add_key
        218, // request_key
        219, // keyctl
        221, // execve
        224, // swapon
        225, // swapoff
        240, // rt_tgsigqueueinfo
        241, // perf_event_open
        242, // accept4
        243, // recvmmsg
        264, // name_to_handle_at
        265, // open_by_handle_at
        268, // setns
        269, // sendmmsg
        270, // process_vm_readv
        271, // process_vm_writev
        272, // kcmp
        273, // finit_module
        280, // bpf
        281, // execveat
        282, // userfaultfd
        294, // kexec_file_load
    ];
}
