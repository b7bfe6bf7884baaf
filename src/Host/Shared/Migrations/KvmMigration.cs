using System.CommandLine;
using Akka.Actor;
using Userfault.Actors;
using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>A migration to real vCPUs of this machine, from start to verified end.</summary>
internal static class KvmMigration
{
    /// <summary>What <c>migrate</c>'s options mean for real vCPUs.</summary>
    /// <exception cref="CliException">An option that only the model has a use for.</exception>
    public static void Check(MigrateOptions options, ParseResult result)
    {
        if (result.GetValue(options.Mode) is not null)
        {
            throw new CliException(
                "--mode: real vCPUs have ways of their own; use `userfault kvm --mode`, or set userfault.kvm.mode"
            );
        }
    }

    /// <summary>Runs it and reports.</summary>
    /// <param name="options">The command's options.</param>
    /// <param name="result">What was given of them.</param>
    /// <param name="settings">The run's settings.</param>
    /// <param name="cancelled">Ctrl-C.</param>
    public static async Task<int> Run(
        MigrateOptions options,
        ParseResult result,
        Settings settings,
        CancellationToken cancelled
    )
    {
        var host = new KernelKvmHost();
        var setup = KvmSetup.Of(settings).On(host);
        var migration = ToMigration(settings, setup.Mode);
        var link = MigrateOptions.LinkOf(settings);
        var outputs = Outputs.Of(options, result);
        using var inputs = Open(options, result, settings, setup.Mode);

        var view = ProgressView.Create(outputs.JsonIsStandardOutput);
        view.Begin(
            inputs,
            migration,
            $"real vCPUs at CPL {setup.Ring} by {Units.NameOf(setup.Mode)}, latency {Units.Duration(link.LatencyNs)}"
        );
        await using var session = new KvmSession(
            ActorSystem.Create("userfault", settings.Config),
            inputs,
            migration,
            setup,
            host,
            outputs.RecordsWorkingSet
        );
        session.Actors.AddLocalFetchers(
            inputs.Image,
            migration.Fetchers,
            link,
            settings.Count("source.remembered-contents", 0, 1 << 24)
        );
        var report = await session.Run(view.Show, cancelled);
        view.End();

        ReportTable.Write(report, view.Output);
        outputs.Write(report, backend: "kvm");
        return ExitCodes.Of(report, cancelled);
    }

    /// <summary>The migration's settings where the guest is real.</summary>
    /// <exception cref="CliException">The settings ask for what only the model has.</exception>
    public static MigrationSettings ToMigration(Settings settings, KvmMode mode)
    {
        settings.Override(
            "mode",
            "--mode",
            Units.NameOf(mode == KvmMode.Userfaultfd ? FaultMode.Userfaultfd : FaultMode.Userfault)
        );
        var migration = MigrateOptions.ToMigration(settings);
        if (migration.Architecture != Mmu.Architecture.X86)
            throw new CliException("--arch arm64: real vCPUs are x86-64; leave it out, or use --backend model");
        if (migration.Memory != MemoryKind.Anonymous)
        {
            throw new CliException(
                $"--memory {ProgressView.MemoryName(migration.Memory)}: real vCPUs run on anonymous memory; leave it out, or use --backend model"
            );
        }

        return migration.HostAccesses == 0
            ? migration
            : throw new CliException(
                "--host-accesses: real vCPUs have no device model beside them; use --backend model"
            );
    }

    /// <summary>What it works on, with memory for real vCPUs.</summary>
    /// <param name="options">The command's options.</param>
    /// <param name="result">What was given of them.</param>
    /// <param name="settings">The run's settings.</param>
    /// <param name="mode">How missing pages are caught.</param>
    /// <param name="adopted">An image that the options do not name; null: they name it.</param>
    internal static RunInputs Open(
        MigrateOptions options,
        ParseResult result,
        Settings settings,
        KvmMode mode,
        RemoteImage? adopted = null
    )
    {
        try
        {
            return RunInputs.Open(options, result, settings, pages => new KvmGuestMemory(pages, mode), adopted);
        }
        catch (LinuxException e)
        {
            throw new CliException($"mode {Units.NameOf(mode)}: {e.Message}");
        }
    }
}
