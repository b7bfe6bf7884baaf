using System.Diagnostics;
using System.Globalization;

namespace Userfault.Host.Tests.Cluster;

/// <summary>
/// Two network namespaces with a cable between them that can be cut, as two machines have. Both go with this object,
/// and with them all that is in them.
/// </summary>
internal sealed class Namespaces : IDisposable
{
    private const string Cable = "cable";
    private static int Made;

    private Namespaces()
    {
        var name = string.Create(
            CultureInfo.InvariantCulture,
            $"userfault-{Environment.ProcessId}-{Interlocked.Increment(ref Made)}"
        );
        (Here, There) = (name + "-here", name + "-there");
    }

    /// <summary>One of the two, at <see cref="HereAddress"/>.</summary>
    public string Here { get; }

    /// <summary>The other, at <see cref="ThereAddress"/>.</summary>
    public string There { get; }

    public static string HereAddress => "10.77.0.1";

    public static string ThereAddress => "10.77.0.2";

    /// <summary>The two, connected; null with the reason where this machine or this user may not have them.</summary>
    public static Namespaces? TryCreate(out string whyNot)
    {
        var made = new Namespaces();
        whyNot = made.Try("netns", "add", made.Here);
        if (whyNot.Length == 0)
            whyNot = made.Try("netns", "add", made.There);
        if (whyNot.Length == 0)
        {
            whyNot = made.Try(
                "-n",
                made.Here,
                "link",
                "add",
                Cable,
                "type",
                "veth",
                "peer",
                "name",
                Cable,
                "netns",
                made.There
            );
        }

        if (whyNot.Length == 0)
        {
            foreach (var (side, address) in new[] { (made.Here, HereAddress), (made.There, ThereAddress) })
            {
                made.Do("-n", side, "address", "add", address + "/24", "dev", Cable);
                made.Do("-n", side, "link", "set", "lo", "up");
                made.Do("-n", side, "link", "set", Cable, "up");
            }

            return made;
        }

        made.Dispose();
        return null;
    }

    /// <summary>The cable is cut: what is sent is lost, and nobody is told.</summary>
    public void Cut() => Do("-n", Here, "link", "set", Cable, "down");

    /// <summary>The cable is whole again.</summary>
    public void Mend() => Do("-n", Here, "link", "set", Cable, "up");

    public void Dispose()
    {
        // One that was never made cannot be removed, and that is all right.
        Try("netns", "delete", Here);
        Try("netns", "delete", There);
    }

    private void Do(params string[] args) => Assert.Equal("", Try(args));

    private string Try(params string[] args)
    {
        try
        {
            using var ip = Process.Start(
                new ProcessStartInfo("ip", args) { RedirectStandardError = true, RedirectStandardOutput = true }
            )!;
            var said = ip.StandardError.ReadToEnd();
            ip.WaitForExit();
            return ip.ExitCode == 0 ? "" : $"ip {string.Join(' ', args)}: {said.Trim()}";
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return $"ip: {e.Message}";
        }
    }
}
