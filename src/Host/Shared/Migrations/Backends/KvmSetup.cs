using Userfault.Kvm;

namespace Userfault.Cli;

/// <summary>How a real VM is run.</summary>
/// <param name="Mode">How missing pages are caught.</param>
/// <param name="Ring">The guest's CPL, 0 or 3.</param>
/// <param name="HolePages">Pages of one region in mode holes.</param>
/// <param name="WatchdogNs">How long nothing may move before the run is stopped.</param>
internal sealed record KvmSetup(KvmMode Mode, int Ring = 3, ulong HolePages = 64, long WatchdogNs = 30_000_000_000)
{
    /// <summary>The setup that settings ask for.</summary>
    /// <exception cref="CliException">A value cannot be used.</exception>
    public static KvmSetup Of(Settings settings)
    {
        var (name, ring) = settings.Get("kvm.cpl");
        if (ring is not ("0" or "3"))
            throw Units.Bad(name, ring, "0 or 3");
        return new KvmSetup(
            settings.OneOf<KvmMode>("kvm.mode"),
            ring == "0" ? 0 : 3,
            (ulong)settings.Count("kvm.hole-pages", 1, 1 << 18),
            Math.Max(1_000_000_000, settings.DurationNs("kvm.watchdog"))
        );
    }

    /// <summary>With the mode that <see cref="KvmMode.Auto"/> means on this host.</summary>
    /// <exception cref="CliException">The mode needs what the host lacks.</exception>
    public KvmSetup On(IKvmHost host) =>
        Mode switch
        {
            KvmMode.Auto => this with { Mode = host.HasUserfault ? KvmMode.Userfault : KvmMode.Kick },
            KvmMode.Userfault when !host.HasUserfault => throw new CliException(
                "--mode userfault: this kernel has no KVM_MEM_USERFAULT; kick does the same without it"
            ),
            _ => this,
        };
}
