namespace Userfault.Mmu.Tests.Oracle;

/// <summary>The part of linux/kvm.h that the oracle needs, for x86-64.</summary>
public static class KvmUapi
{
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
    public const nuint SetMemoryAttributes = 0x4020aed2;
    public const nuint CreateGuestMemfd = 0xc040aed4;
    public const nuint PreFaultMemory = 0xc040aed5;

    public const uint CapNrMemslots = 10;
    public const uint CapReadonlyMem = 81;
    public const uint CapMultiAddressSpace = 118;
    public const uint CapManualDirtyLogProtect2 = 168;
    public const uint CapDisableQuirks2 = 213;
    public const uint CapUserMemory2 = 231;
    public const uint CapMemoryFaultInfo = 232;
    public const uint CapMemoryAttributes = 233;
    public const uint CapGuestMemfd = 234;
    public const uint CapPreFaultMemory = 236;

    public const ulong QuirkSlotZapAll = 1 << 7;

    public const uint ExitIo = 2;
    public const uint ExitMmio = 6;
    public const uint ExitInternalError = 17;
    public const uint ExitMemoryFault = 39;

    // struct kvm_run: request_interrupt_window u8, immediate_exit u8, ..., exit_reason u32 at 8, the exit's union at
    // 32.
    public const int RunImmediateExit = 1;
    public const int RunExitReason = 8;
    public const int RunUnion = 32;

    /// <summary>struct kvm_regs: rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8-r15, rip, rflags.</summary>
    public const int RegsWords = 18;
    public const int Rax = 0;
    public const int Rdi = 5;
    public const int Rsp = 6;
    public const int Rip = 16;
    public const int Rflags = 17;
}
