using Userfault.Host.Tests;
using Userfault.Kernel.Tests.Cases;
using Userfault.Tests;

namespace Userfault.Kernel.Tests.Command;

/// <summary>
/// <c>userfault serve</c> and <c>userfault guest</c> on another kernel's userfaultfd than this machine's.
/// </summary>
[Collection(KernelCollection.Name)]
public class ServeTests
{
    [LongUnderEmulation]
    [KernelFact]
    public async Task A_guest_gets_its_pages_from_a_handler()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        var socket = folder.At("uffd.sock");
        using var handler = CommandLine.Start("serve", "--socket", socket, "--synthetic", "16M");
        _ = handler.StandardOutput.ReadToEndAsync();
        var error = handler.StandardError.ReadToEndAsync();
        await Eventually.Holds(() => File.Exists(socket) || handler.HasExited, () => "the handler has no socket");
        Assert.False(handler.HasExited, handler.HasExited ? await error : "");
        var guest = await CommandLine.Run("guest", "--socket", socket, "--synthetic", "16M", "--touchers", "4");
        Assert.True(guest.ExitCode == 0, guest.Error + guest.Output);
    }
}
