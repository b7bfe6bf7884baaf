using Userfault.Kernel.Tests.Cases;

namespace Userfault.Kernel.Tests.Machine;

/// <summary>A kernel to boot.</summary>
/// <param name="Name">Its name in messages.</param>
/// <param name="Image">The compressed kernel (bzImage).</param>
/// <param name="Modules">What has to be loaded, in this order, by file name.</param>
internal sealed record KernelFiles(string Name, byte[] Image, IReadOnlyList<(string Name, byte[] Content)> Modules)
{
    // The port that carries the tests, and KVM: an emulated processor has AMD's virtualization (SVM). Each needs what
    // is before it. Most kernels have some of them built in.
    private static readonly string[] ModuleNames =
    [
        .. (string[])["virtio-ring", "virtio", "virtio-pci-modern-dev", "virtio-pci-legacy-dev", "virtio-pci"],
        .. (string[])["virtio-console", "irqbypass", "ccp", "kvm", "kvm-amd"],
    ];

    /// <summary>Reads a kernel's package.</summary>
    public static async Task<KernelFiles> OfPackageAsync(DebianPackage package)
    {
        var files = await package.ReadAsync(name =>
            name.StartsWith("boot/vmlinuz-", StringComparison.Ordinal) || ModuleOf(name) >= 0
        );
        var image =
            files.Keys.FirstOrDefault(name => ModuleOf(name) < 0)
            ?? throw new KernelException($"{package} holds no kernel (boot/vmlinuz-*)");
        return new KernelFiles($"{package}", files[image], InOrder(files.Where(file => ModuleOf(file.Key) >= 0)));
    }

    /// <summary>Reads a kernel of the user's own: a package, or an image and the folder of its modules.</summary>
    public static async Task<KernelFiles> OfFileAsync(string path, string? modules)
    {
        if (!File.Exists(path))
            throw new KernelException($"{KernelChoice.Variable}: there is no file {path}");
        if (path.EndsWith(".deb", StringComparison.Ordinal))
            return await OfPackageAsync(new DebianPackage(path));
        var found = modules is null
            ? []
            : Directory
                .EnumerateFiles(modules, "*.ko*", SearchOption.AllDirectories)
                .Where(file => ModuleOf(file) >= 0)
                .Select(file => KeyValuePair.Create(file, File.ReadAllBytes(file)));
        return new KernelFiles(Path.GetFileName(path), await File.ReadAllBytesAsync(path), InOrder(found));
    }

    private static (string, byte[])[] InOrder(IEnumerable<KeyValuePair<string, byte[]>> modules) =>
        [.. modules.OrderBy(file => ModuleOf(file.Key)).Select(file => (Path.GetFileName(file.Key), file.Value))];

    // "kvm-amd.ko.xz" is kvm-amd; names may also be written with underscores.
    private static int ModuleOf(string path)
    {
        var name = Path.GetFileName(path);
        var end = name.IndexOf(".ko", StringComparison.Ordinal);
        return end < 0 ? -1 : Array.IndexOf(ModuleNames, name[..end].Replace('_', '-'));
    }
}
