namespace Userfault.Kernel.Tests.Inside;

/// <summary>The program that the emulated kernel starts: it runs the test cases that come over a port.</summary>
internal static class Program
{
    private static int Main()
    {
        var names = Directory.Exists("/sys/class/virtio-ports")
            ? Directory.GetDirectories("/sys/class/virtio-ports")
            : [];
        if (names.Length != 1)
        {
            Console.Error.WriteLine(
                "No virtio port is here. In the emulated kernel: VIRTIO_PCI and VIRTIO_CONSOLE must be built in, or "
                    + "their modules be where the kernel's are. Elsewhere: `dotnet test tests/Kernel.Tests`."
            );
            return 2;
        }

        using var port = new FileStream(
            $"/dev/{Path.GetFileName(names[0])}",
            FileMode.Open,
            FileAccess.ReadWrite,
            FileShare.ReadWrite,
            bufferSize: 0
        );
        new CaseServer(port).Serve();
        return 0;
    }
}
