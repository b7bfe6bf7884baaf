using System.Runtime.InteropServices;
using Userfault.Mmu;
using Userfault.Tests;

namespace Userfault.Linux.Tests;

/// <summary>KVM's numbers and layouts against the kernel's own header.</summary>
public class KvmLayoutTests
{
    // What is newer than a header is left out there, and checked where it is known.
    private const string Program = """
        #include <stddef.h>
        #include <stdio.h>
        #include <linux/kvm.h>
        #define P(name, value) printf("%s %lld\n", name, (long long)(value))
        #define C(name) P(#name, name)
        int main(void)
        {
            C(KVM_API_VERSION); C(KVM_GET_API_VERSION); C(KVM_CREATE_VM); C(KVM_CHECK_EXTENSION);
            C(KVM_GET_VCPU_MMAP_SIZE);
            C(KVM_GET_SUPPORTED_CPUID); C(KVM_CREATE_VCPU); C(KVM_GET_DIRTY_LOG); C(KVM_SET_USER_MEMORY_REGION);
            C(KVM_RUN);
            C(KVM_GET_REGS); C(KVM_SET_REGS); C(KVM_GET_SREGS); C(KVM_SET_SREGS); C(KVM_SET_CPUID2); C(KVM_ENABLE_CAP);
            C(KVM_CLEAR_DIRTY_LOG);
            C(KVM_CAP_USER_MEMORY); C(KVM_CAP_NR_VCPUS); C(KVM_CAP_NR_MEMSLOTS); C(KVM_CAP_MAX_VCPUS);
            C(KVM_CAP_READONLY_MEM);
            C(KVM_CAP_MULTI_ADDRESS_SPACE); C(KVM_CAP_IMMEDIATE_EXIT); C(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);
            C(KVM_EXIT_IO); C(KVM_EXIT_MMIO); C(KVM_EXIT_SHUTDOWN); C(KVM_EXIT_FAIL_ENTRY); C(KVM_EXIT_INTR);
            C(KVM_EXIT_INTERNAL_ERROR);
        #ifdef KVM_SET_USER_MEMORY_REGION2
            C(KVM_SET_USER_MEMORY_REGION2); P("region2", sizeof(struct kvm_userspace_memory_region2));
            P("region2.guest_memfd", offsetof(struct kvm_userspace_memory_region2, guest_memfd));
            P("region2.pad2", offsetof(struct kvm_userspace_memory_region2, pad2));
            C(KVM_CREATE_GUEST_MEMFD); C(KVM_SET_MEMORY_ATTRIBUTES); C(KVM_EXIT_MEMORY_FAULT);
            C(KVM_CAP_USER_MEMORY2); C(KVM_CAP_MEMORY_FAULT_INFO); C(KVM_CAP_MEMORY_ATTRIBUTES); C(KVM_CAP_GUEST_MEMFD);
            P("memfd", sizeof(struct kvm_create_guest_memfd));
            P("run.fault.flags", offsetof(struct kvm_run, memory_fault.flags));
            P("run.fault.gpa", offsetof(struct kvm_run, memory_fault.gpa));
            P("run.fault.size", offsetof(struct kvm_run, memory_fault.size));
        #endif
        #ifdef KVM_PRE_FAULT_MEMORY
            C(KVM_PRE_FAULT_MEMORY); C(KVM_CAP_PRE_FAULT_MEMORY);
        #endif
            P("regs", sizeof(struct kvm_regs)); P("regs.r8", offsetof(struct kvm_regs, r8));
            P("regs.rip", offsetof(struct kvm_regs, rip));
            P("regs.rflags", offsetof(struct kvm_regs, rflags)); P("regs.rsi", offsetof(struct kvm_regs, rsi));
            P("segment", sizeof(struct kvm_segment)); P("segment.l", offsetof(struct kvm_segment, l));
            P("segment.dpl", offsetof(struct kvm_segment, dpl));
            P("sregs", sizeof(struct kvm_sregs)); P("sregs.tr", offsetof(struct kvm_sregs, tr));
            P("sregs.cr0", offsetof(struct kvm_sregs, cr0));
            P("sregs.cr3", offsetof(struct kvm_sregs, cr3)); P("sregs.efer", offsetof(struct kvm_sregs, efer));
            P("region", sizeof(struct kvm_userspace_memory_region));
            P("region.addr", offsetof(struct kvm_userspace_memory_region, userspace_addr));
        #ifdef KVM_GET_STATS_FD
            C(KVM_GET_STATS_FD); P("stats", sizeof(struct kvm_stats_header));
            P("stats.data", offsetof(struct kvm_stats_header, data_offset));
            P("stats.desc", offsetof(struct kvm_stats_desc, name));
            P("stats.desc.offset", offsetof(struct kvm_stats_desc, offset));
        #endif
            P("dirty", sizeof(struct kvm_dirty_log)); P("dirty.bitmap", offsetof(struct kvm_dirty_log, dirty_bitmap));
            P("cap", sizeof(struct kvm_enable_cap)); P("cap.args", offsetof(struct kvm_enable_cap, args));
            P("cpuid", sizeof(struct kvm_cpuid2)); P("cpuid.entry", sizeof(struct kvm_cpuid_entry2));
            P("run.immediate", offsetof(struct kvm_run, immediate_exit));
            P("run.reason", offsetof(struct kvm_run, exit_reason));
            P("run.io", offsetof(struct kvm_run, io)); P("run.io.size", offsetof(struct kvm_run, io.size));
            P("run.io.port", offsetof(struct kvm_run, io.port));
            P("run.mmio.data", offsetof(struct kvm_run, mmio.data));
            P("run.mmio.len", offsetof(struct kvm_run, mmio.len));
            P("run.mmio.write", offsetof(struct kvm_run, mmio.is_write));
            return 0;
        }
        """;

    [SkippableFact]
    public unsafe void Layouts_are_the_headers()
    {
        Dictionary<string, long> ours = new()
        {
            ["KVM_API_VERSION"] = KvmUapi.ApiVersion,
            ["KVM_GET_API_VERSION"] = (long)KvmUapi.GetApiVersion,
            ["KVM_CREATE_VM"] = (long)KvmUapi.CreateVm,
            ["KVM_CHECK_EXTENSION"] = (long)KvmUapi.CheckExtension,
            ["KVM_GET_VCPU_MMAP_SIZE"] = (long)KvmUapi.GetVcpuMmapSize,
            ["KVM_GET_SUPPORTED_CPUID"] = (long)KvmUapi.GetSupportedCpuid,
            ["KVM_CREATE_VCPU"] = (long)KvmUapi.CreateVcpu,
            ["KVM_GET_DIRTY_LOG"] = (long)KvmUapi.GetDirtyLog,
            ["KVM_SET_USER_MEMORY_REGION"] = (long)KvmUapi.SetUserMemoryRegion,
            ["KVM_RUN"] = (long)KvmUapi.Run,
            ["KVM_GET_REGS"] = (long)KvmUapi.GetRegs,
            ["KVM_SET_REGS"] = (long)KvmUapi.SetRegs,
            ["KVM_GET_SREGS"] = (long)KvmUapi.GetSregs,
            ["KVM_SET_SREGS"] = (long)KvmUapi.SetSregs,
            ["KVM_SET_CPUID2"] = (long)KvmUapi.SetCpuid2,
            ["KVM_ENABLE_CAP"] = (long)KvmUapi.EnableCap,
            ["KVM_CLEAR_DIRTY_LOG"] = (long)KvmUapi.ClearDirtyLog,
            ["KVM_SET_USER_MEMORY_REGION2"] = (long)KvmUapi.SetUserMemoryRegion2,
            ["KVM_CREATE_GUEST_MEMFD"] = (long)KvmUapi.CreateGuestMemfd,
            ["KVM_GET_STATS_FD"] = (long)KvmUapi.GetStatsFd,
            ["KVM_SET_MEMORY_ATTRIBUTES"] = (long)KvmUapi.SetMemoryAttributes,
            ["KVM_PRE_FAULT_MEMORY"] = (long)KvmUapi.PreFaultMemory,
            ["KVM_EXIT_IO"] = KvmUapi.ExitIo,
            ["KVM_EXIT_MMIO"] = KvmUapi.ExitMmio,
            ["KVM_EXIT_SHUTDOWN"] = KvmUapi.ExitShutdown,
            ["KVM_EXIT_FAIL_ENTRY"] = KvmUapi.ExitFailEntry,
            ["KVM_EXIT_INTR"] = KvmUapi.ExitIntr,
            ["KVM_EXIT_INTERNAL_ERROR"] = KvmUapi.ExitInternalError,
            ["KVM_EXIT_MEMORY_FAULT"] = KvmUapi.ExitMemoryFault,
            ["KVM_CAP_USER_MEMORY"] = Of(KvmCapability.UserMemory),
            ["KVM_CAP_NR_VCPUS"] = Of(KvmCapability.RecommendedVcpus),
            ["KVM_CAP_NR_MEMSLOTS"] = Of(KvmCapability.Memslots),
            ["KVM_CAP_MAX_VCPUS"] = Of(KvmCapability.MaxVcpus),
            ["KVM_CAP_READONLY_MEM"] = Of(KvmCapability.ReadonlyMemory),
            ["KVM_CAP_MULTI_ADDRESS_SPACE"] = Of(KvmCapability.AddressSpaces),
            ["KVM_CAP_IMMEDIATE_EXIT"] = Of(KvmCapability.ImmediateExit),
            ["KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2"] = Of(KvmCapability.ManualDirtyLogProtect),
            ["KVM_CAP_USER_MEMORY2"] = Of(KvmCapability.UserMemory2),
            ["KVM_CAP_MEMORY_FAULT_INFO"] = Of(KvmCapability.MemoryFaultInfo),
            ["KVM_CAP_MEMORY_ATTRIBUTES"] = Of(KvmCapability.MemoryAttributes),
            ["KVM_CAP_GUEST_MEMFD"] = Of(KvmCapability.GuestMemfd),
            ["KVM_CAP_PRE_FAULT_MEMORY"] = Of(KvmCapability.PreFaultMemory),
            ["region2"] = sizeof(UserspaceMemoryRegion2),
            ["region2.guest_memfd"] = At<UserspaceMemoryRegion2>("GuestMemfd"),
            ["region2.pad2"] = At<UserspaceMemoryRegion2>("UserfaultBitmap"),
            ["memfd"] = sizeof(KvmCreateGuestMemfd),
            ["run.fault.flags"] = KvmUapi.RunUnion + KvmUapi.MemoryFaultFlags,
            ["run.fault.gpa"] = KvmUapi.RunUnion + KvmUapi.MemoryFaultAddress,
            ["run.fault.size"] = KvmUapi.RunUnion + KvmUapi.MemoryFaultSize,
            ["regs"] = sizeof(KvmRegs),
            ["regs.r8"] = At<KvmRegs>("R8"),
            ["regs.rip"] = At<KvmRegs>("Rip"),
            ["regs.rflags"] = At<KvmRegs>("Rflags"),
            ["regs.rsi"] = At<KvmRegs>("Rsi"),
            ["segment"] = sizeof(KvmSegment),
            ["segment.l"] = At<KvmSegment>("L"),
            ["segment.dpl"] = At<KvmSegment>("Dpl"),
            ["sregs"] = sizeof(KvmSregs),
            ["sregs.tr"] = At<KvmSregs>("Tr"),
            ["sregs.cr0"] = At<KvmSregs>("Cr0"),
            ["sregs.cr3"] = At<KvmSregs>("Cr3"),
            ["sregs.efer"] = At<KvmSregs>("Efer"),
            ["region"] = UserspaceMemoryRegion2.Version1SizeBytes,
            ["region.addr"] = At<UserspaceMemoryRegion2>("UserspaceAddress"),
            ["stats"] = sizeof(KvmStatsHeader),
            ["stats.data"] = At<KvmStatsHeader>("DataOffset"),
            ["stats.desc"] = sizeof(KvmStatsDescriptor),
            ["stats.desc.offset"] = At<KvmStatsDescriptor>("Offset"),
            ["dirty"] = sizeof(KvmDirtyLog),
            ["dirty.bitmap"] = At<KvmDirtyLog>("Bitmap"),
            ["cap"] = sizeof(KvmEnableCap),
            ["cap.args"] = At<KvmEnableCap>("Arguments"),
            ["cpuid"] = KvmUapi.CpuidHeaderBytes,
            ["cpuid.entry"] = KvmUapi.CpuidEntryBytes,
            ["run.immediate"] = KvmUapi.RunImmediateExit,
            ["run.reason"] = KvmUapi.RunExitReason,
            ["run.io"] = KvmUapi.RunUnion + KvmUapi.IoDirection,
            ["run.io.size"] = KvmUapi.RunUnion + KvmUapi.IoSize,
            ["run.io.port"] = KvmUapi.RunUnion + KvmUapi.IoPort,
            ["run.mmio.data"] = KvmUapi.RunUnion + KvmUapi.MmioData,
            ["run.mmio.len"] = KvmUapi.RunUnion + KvmUapi.MmioLength,
            ["run.mmio.write"] = KvmUapi.RunUnion + KvmUapi.MmioIsWrite,
        };
        var theirs = CCompiler.Ask(Program);
        Assert.True(theirs.Count > 50);
        Assert.Empty(
            theirs.Where(t => ours[t.Key] != t.Value).Select(t => $"{t.Key}: header {t.Value}, ours {ours[t.Key]}")
        );
    }

    /// <summary>By hand, from the spec's table: headers older than Linux 6.8 lack them.</summary>
    [Fact]
    public void The_newer_calls_have_the_kernels_numbers()
    {
        Assert.Equal(
            [0x40a0ae49u, 0xc040aed4u, 0x4020aed2u, 0xc040aed5u],
            new[]
            {
                KvmUapi.SetUserMemoryRegion2,
                KvmUapi.CreateGuestMemfd,
                KvmUapi.SetMemoryAttributes,
                KvmUapi.PreFaultMemory,
            }.Select(n => (uint)n)
        );
        Assert.Equal((160, 39u), (Marshal.SizeOf<UserspaceMemoryRegion2>(), KvmUapi.ExitMemoryFault));
        Assert.Equal(
            [232L, 234, 236],
            [Of(KvmCapability.MemoryFaultInfo), Of(KvmCapability.GuestMemfd), Of(KvmCapability.PreFaultMemory)]
        );
    }

    private static long Of(KvmCapability capability) => (uint)capability;

    private static long At<T>(string field) => Marshal.OffsetOf<T>(field);
}
