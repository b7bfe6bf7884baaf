using Userfault.Linux;

namespace Userfault.Mmu.Tests.Oracle;

/// <summary>
/// The end of a program: one slot of huge leaves, its log turned on and off, read and cleared while manual protection
/// changes. From random numbers of its own, so that what comes before stays what it is.
/// </summary>
/// <param name="seed">The program's seed.</param>
internal sealed class HugeLeafCalls(int seed)
{
    private const int Length = 60;
    private const uint Slot = 7;

    // Apart from all other slots of a program.
    private const ulong Gpa = GuestImage.SmallPagesEnd + (32 << 20);
    private static readonly ulong[] Protects = [0, 1, 3];
    private static readonly ulong[] Pages = [0, 1, 64, 512];
    private readonly Random _random = new(seed ^ 0x68_75_67_65);
    private uint _flags;

    /// <summary>The calls; none for two programs of three.</summary>
    public IEnumerable<KvmCall> All()
    {
        if (!Chance(3))
            yield break;
        yield return Region();
        for (var i = 0; i < Length; i++)
            yield return Next();
    }

    private KvmCall Next()
    {
        switch (_random.Next(16))
        {
            case < 3:
                return new KvmCall.EnableCap((uint)KvmCapability.ManualDirtyLogProtect, 0, Pick<ulong>(Protects));
            case < 6:
                _flags ^= RegionFlags.LogDirtyPages;
                return Region();
            case < 9:
                return new KvmCall.GetDirtyLog(Slot);
            case 9:
                return new KvmCall.ClearDirtyLog(Slot, 64 * (ulong)_random.Next(2), 64, ulong.MaxValue);
            default:
                var isWrite = !Chance(4);
                return new KvmCall.Run(
                    isWrite ? Access.Write : Access.Read,
                    Gpa + (Pick<ulong>(Pages) << Page.Shift),
                    8,
                    isWrite ? 1UL : 0
                );
        }
    }

    private KvmCall.SetRegion Region() =>
        new(
            false,
            Slot,
            _flags,
            Gpa,
            HostLayout.HugeSize,
            new HostAddress(HostArea.Huge, 0),
            MemfdKind.Own,
            0,
            default
        );

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private T Pick<T>(ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];
}
