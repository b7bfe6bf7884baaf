using System.Runtime.InteropServices;

namespace Userfault.Mmu.Tests;

/// <summary>Regions as raw bytes, random and half sensible: the answer is an errno, never an exception.</summary>
public sealed class RegionFuzzTests
{
    private static readonly ulong[] Interesting =
    [
        0,
        1,
        0xfff,
        0x1000,
        0x1001,
        0x20_0000,
        0x4000_0000,
        1UL << 32,
        (1UL << 40) - 4096,
        1UL << 40,
        1UL << 43,
        1UL << 46,
        1UL << 47,
        0x7fff_ffff_e000,
        0x7fff_ffff_f000,
        1UL << 55,
        1UL << 56,
        1UL << 63,
        0xffff_8000_0000_0000,
        ulong.MaxValue - 0xfff,
        ulong.MaxValue,
    ];

    [Theory]
    [InlineData(Architecture.X86, 1)]
    [InlineData(Architecture.Arm64, 2)]
    public void Any_160_bytes_get_an_errno(Architecture architecture, int seed)
    {
        var random = new Random(seed);
        var memory = new ModelHostMemory();
        memory.Map(new Hva(0x10_0000), 64 << 20, PageLevel.Size2M);
        var files = new ModelFileTable();
        files.Open(3, new ModelGuestMemfd(new Pfn(0x5_0000), 4096));
        files.Open(4, null);
        using var vm = new Vm(TestVm.PolicyOf(architecture), memory, files);
        var bytes = new byte[UserspaceMemoryRegion2.SizeBytes];
        var answers = new Dictionary<Errno, int>();
        for (var i = 0; i < 40_000; i++)
        {
            Fill(random, bytes);
            var before = vm.Slots(0).Number;
            var answer = vm.SetUserMemoryRegion2(bytes);
            if (!Enum.IsDefined(answer))
                Assert.Fail($"{answer} for {Convert.ToHexString(bytes)}");
            if (answer != Errno.None)
                Assert.Equal(before, vm.Slots(0).Number);
            answers[answer] = answers.GetValueOrDefault(answer) + 1;
            _ = vm.Access(new VcpuAccess(new Gfn((ulong)random.Next(0x6_0000)), (Access)(1 << random.Next(3))));
        }

        // The half that is sensible must reach every end.
        Errno[] expected = [Errno.None, Errno.EBADF, Errno.EFAULT, Errno.EEXIST, Errno.EINVAL];
        Assert.Equal(
            expected.Where(errno => errno != Errno.EFAULT || architecture == Architecture.Arm64),
            answers.Keys.Order()
        );
    }

    private static void Fill(Random random, byte[] bytes)
    {
        random.NextBytes(bytes);
        if (random.Next(8) == 0)
            return;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan());
        words[0] = (uint)random.Next(6) | (ulong)random.Next(16) << 32;
        words[1] = random.Next(3) == 0 ? Pick(random) : (ulong)random.Next(64) << 20;
        words[2] = random.Next(4) == 0 ? Pick(random) : (ulong)random.Next(8) << 20;
        words[3] = random.Next(4) == 0 ? Pick(random) : 0x10_0000;
        words[4] = random.Next(4) == 0 ? Pick(random) : (ulong)random.Next(4) << 20;
        words[5] = (ulong)random.Next(2, 7);
        words[6] = random.Next(2) == 0 ? Pick(random) : 0x10_0000;
    }

    private static ulong Pick(Random random) => Interesting[random.Next(Interesting.Length)];
}
