using Userfault.Kvm;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// Turns bad input into one line on standard error and exit code 2, and Ctrl-C before there is a report into 130.
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
        catch (InterruptedException e)
        {
            await Console.Error.WriteLineAsync($"userfault: {e.Message}");
            return ExitCodes.Interrupted;
        }
    }
}
