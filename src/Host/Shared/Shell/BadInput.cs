using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Pages;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>
/// Turns bad input into one line on standard error and exit code 2, an output that cannot be written and a
/// call that the kernel refuses into 1, and Ctrl-C
/// before there is a report into 130. Everything else is a bug of this program: see <see cref="Unforeseen"/>.
/// </summary>
internal static class BadInput
{
    public static async Task<int> Guard(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception e) when (e is CliException or PagingException or KvmUnavailableException)
        {
            await Console.Error.WriteLineAsync($"userfault: {e.Message}");
            return ExitCodes.BadInput;
        }
        catch (DestinationException e)
        {
            // QEMU is not there, or refuses.
            await Console.Error.WriteLineAsync($"userfault: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (LinuxException e)
        {
            // The kernel refuses what it was right to ask for: it is short of something, or lacks something.
            await Console.Error.WriteLineAsync($"userfault: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (InterruptedException e)
        {
            await Console.Error.WriteLineAsync($"userfault: {e.Message}");
            return ExitCodes.Interrupted;
        }
        catch (IOException e)
        {
            // A full disk, a terminal that was closed.
            await Console.Error.WriteLineAsync($"userfault: {e.Message.ReplaceLineEndings(" ")}");
            return ExitCodes.Failed;
        }
    }
}
