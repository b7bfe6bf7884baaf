using System.CommandLine;

namespace Userfault.Cli;

/// <summary><c>userfault kvm</c>: a migration to real vCPUs under /dev/kvm.</summary>
internal static class KvmCommand
{
    public static Command Create()
    {
        var command = new Command(
            "kvm",
            "Migrate a guest to real vCPUs under /dev/kvm, their faults served by the actors. Without options: the "
                + "sample trace."
        );
        var options = new MigrateOptions();
        options.AddTo(
            command,
            except:
            [
                options.Backend,
                options.Mode,
                options.Arch,
                options.Memory,
                options.Ips,
                options.Cluster,
                options.WorkingSets.Shared,
            ]
        );
        var mode = new Option<string>("--mode")
        {
            Description = "how missing pages are caught: auto (default), userfaultfd, kick, holes or userfault",
        };
        var cpl = new Option<string>("--cpl") { Description = "privilege level of the guest's code: 3 (default) or 0" };
        command.Options.Add(mode);
        command.Options.Add(cpl);
        var gcStress = new Option<bool>("--gc-stress") { Description = "collect garbage all the time", Hidden = true };
        command.Options.Add(gcStress);
        command.SetAction(
            (result, cancelled) =>
                BadInput.Guard(() =>
                {
                    var arguments = options.Read(result);
                    arguments.Settings.Override("kvm.mode", mode.Name, result.GetValue(mode));
                    arguments.Settings.Override("kvm.cpl", cpl.Name, result.GetValue(cpl));
                    if (result.GetValue(gcStress))
                        GcStress.Start();
                    return MigrationProcedure.Run(arguments, Backend.Kvm, cluster: null, cancelled);
                })
        );
        return command;
    }
}
