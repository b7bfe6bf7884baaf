using Userfault.Linux;

namespace Userfault.Kernel.Tests.Cases;

/// <summary>Which kernel's KVM the tests run on: one decision for a whole run.</summary>
public static class KernelChoice
{
    /// <summary>
    /// <c>own</c>: this machine's. <c>emulated</c>: Debian's, under QEMU. A file: that kernel under QEMU, either a
    /// package (.deb) or an image with <see cref="ModulesVariable"/>. Not set: this machine's where it has /dev/kvm,
    /// Debian's otherwise.
    /// </summary>
    public const string Variable = "USERFAULT_KERNEL";

    /// <summary>For a kernel's image: the folder of its modules; not set where KVM is built in.</summary>
    public const string ModulesVariable = "USERFAULT_KERNEL_MODULES";

    /// <summary>Runs the tests that take long in an emulated kernel, too.</summary>
    public const string LongVariable = "USERFAULT_KERNEL_LONG";

    /// <summary>A file that takes a summary of the run in an emulated kernel.</summary>
    public const string SummaryVariable = "USERFAULT_KERNEL_SUMMARY";

    /// <summary>What <see cref="Variable"/> says inside of the emulated kernel: the tests run where they are.</summary>
    public const string Own = "own";

    private const string Emulated = "emulated";

    private static readonly string? Setting = Read(Variable);

    /// <summary>Do the tests run inside of an emulated kernel?</summary>
    public static bool IsEmulated { get; } = Setting is null ? KvmDevice.WhyMissing() is not null : Setting != Own;

    /// <summary>The kernel of the user's own choice: a package or an image. Null is Debian's.</summary>
    public static string? File => Setting is Own or Emulated ? null : Setting;

    /// <summary>The folder of that image's modules.</summary>
    public static string? Modules => Read(ModulesVariable);

    /// <summary>Are tests run that take long?</summary>
    public static bool RunsLong => Read(LongVariable) is "1";

    /// <summary>Where the summary goes.</summary>
    public static string? Summary => Read(SummaryVariable);

    private static string? Read(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? text : null;
}
