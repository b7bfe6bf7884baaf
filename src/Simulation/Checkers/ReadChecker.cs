using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>No read, of a vCPU or of a device, returns wrong or missing content.</summary>
internal sealed class ReadChecker : Checker
{
    /// <inheritdoc/>
    public override string Name => "read";

    /// <inheritdoc/>
    public override void OnRead(MemoryPage page, int vcpu, ulong seen, bool isGuest)
    {
        if (seen != View.Expected(page))
        {
            Violate(
                $"{(isGuest ? $"vCPU {vcpu}" : "a device")} read 0x{seen:x} from {page}, which holds "
                    + $"0x{View.Expected(page):x}"
            );
        }
    }
}
