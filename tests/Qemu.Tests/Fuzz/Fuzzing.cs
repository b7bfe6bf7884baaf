using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Qemu.Tests;

/// <summary>
/// Runs inputs by their seeds. The seed of an input that fails is in the failure's message; where the input ends the
/// process, it is the first 8 bytes (little endian) of <c>userfault-fuzz-NAME-PID</c> in the folder for temporary
/// files.
/// </summary>
internal static unsafe class Fuzzing
{
    /// <summary>Runs inputs; answers how many were not refused.</summary>
    /// <param name="name">Of the fuzzer, for the file.</param>
    /// <param name="inputs">How many.</param>
    /// <param name="run">Runs one input; throws an exception that <paramref name="isRefusal"/> knows, or none.</param>
    /// <param name="isRefusal">Is this exception a refusal?</param>
    public static int Run(string name, int inputs, Action<ulong> run, Func<Exception, bool> isRefusal)
    {
        var path = Path.Combine(Path.GetTempPath(), $"userfault-fuzz-{name}-{Environment.ProcessId}");
        File.WriteAllBytes(path, new byte[Page.Size]);
        var taken = 0;
        using (var fd = OwnedFd.Open(path))
        using (var note = MemoryMapping.Of(fd, Page.Size))
        {
            for (ulong seed = 1; seed <= (ulong)inputs; seed++)
            {
                *(ulong*)note.Start = seed;
                try
                {
                    run(seed);
                    taken++;
                }
                catch (Exception e) when (isRefusal(e)) { }
                catch (Exception e)
                {
                    Assert.Fail($"{name}, seed {seed}: {e}");
                }
            }
        }

        File.Delete(path);
        return taken;
    }
}
