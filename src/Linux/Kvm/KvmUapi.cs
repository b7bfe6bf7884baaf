namespace Userfault.Linux;

/// <summary>
/// The part of linux/kvm.h that real vCPUs need, for x86-64. Every number and every layout is held against the kernel's
/// own header by a test, where a C compiler is present.
/// </summary>
internal static class KvmUapi
{
    public const nuint GetApiVersion = 0xae00;
    public const nuint CreateVm = 0xae01;
    public const nuint CheckExtension = 0xae03;
    public const nuint GetVcpuMmapSize = 0xae04;
    public const nuint GetSupportedCpuid = 0xc008ae05;
    public const nuint CreateVcpu = 0xae41;
    public const nuint GetDirtyLog = 0x4010ae42;
    public const nuint SetUserMemoryRegion = 0x4020ae46;
    public const nuint SetUserMemoryRegion2 = 0x40a0ae49;
    public const nuint Run = 0xae80;
    public const nuint GetRegs = 0x8090ae81;
    public const nuint SetRegs = 0x4090ae82;
    public const nuint GetSregs = 0x8138ae83;
    public const nuint SetSregs = 0x4138ae84;
    public const nuint SetCpuid2 = 0x4008ae90;
    public const nuint EnableCap = 0x4068aea3;
    public const nuint ClearDirtyLog = 0xc018aec0;
    public const nuint GetStatsFd = 0xaece;
    public const nuint SetMemoryAttributes = 0x4020aed2;
    public const nuint CreateGuestMemfd = 0xc040aed4;
    public const nuint PreFaultMemory = 0xc040aed5;

    public const int ApiVersion = 12;

    public const ulong QuirkSlotZapAll = 1 << 7;

    public const uint ExitIo = 2;
    public const uint ExitMmio = 6;
    public const uint ExitShutdown = 8;
    public const uint ExitFailEntry = 9;
    public const uint ExitIntr = 10;
    public const uint ExitInternalError = 17;
    public const uint ExitMemoryFault = 39;

    // struct kvm_run: request_interrupt_window u8, immediate_exit u8, ..., exit_reason u32 at 8, the exit's union at
    // 32.
    public const int RunImmediateExit = 1;
    public const int RunExitReason = 8;
    public const int RunUnion = 32;
    public const int IoDirection = 0;
    public const int IoSize = 1;
    public const int IoPort = 2;
    public const int MmioAddress = 0;
    public const int MmioData = 8;
    public const int MmioLength = 16;
    public const int MmioIsWrite = 20;
    public const int MemoryFaultFlags = 0;
    public const int MemoryFaultAddress = 8;
    public const int MemoryFaultSize = 16;

    // struct kvm_cpuid2: nent u32, padding u32, entries of 40 bytes.
    public const int CpuidHeaderBytes = 8;
    public const int CpuidEntryBytes = 40;
    public const int MaxCpuidEntries = 256;
}
