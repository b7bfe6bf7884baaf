using System.Text.RegularExpressions;
using Userfault.Kernel.Tests.Cases;

namespace Userfault.Kernel.Tests.Machine;

/// <summary>
/// The packages that an emulated kernel is made of, kept in the user's cache folder: Debian's kernel for clouds, which
/// has few drivers and a working KVM, and a shell. They are downloaded by <c>apt-get</c> with lists of its own, as root
/// or not: nothing is installed, and the machine's configuration stays as it is.
/// </summary>
internal sealed partial class DebianDownload
{
    // The release that has this kernel. Others, such as a machine's own, may have an older one without a working KVM.
    private const string Release = "trixie";
    private const string Shell = "busybox-static";
    private const string Keys = "/usr/share/keyrings/debian-archive-keyring.gpg";

    // Folders of releases that are Debian's own, and not of another archive that the machine uses.
    private static readonly string[] Releases = ["bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable"];

    private readonly string _cache = Path.Combine(CacheRoot(), "userfault", "kernel");

    /// <summary>The kernel's package and the shell's, from the cache or downloaded.</summary>
    /// <exception cref="KernelMissingException">They are not in the cache, and cannot be downloaded.</exception>
    public async Task<(DebianPackage Kernel, DebianPackage Shell)> GetAsync()
    {
        Directory.CreateDirectory(_cache);
        if (Find(KernelFile()) is null || Find(ShellFile()) is null)
            await Download();
        return (
            new DebianPackage(Find(KernelFile()) ?? throw new KernelMissingException("the kernel was not downloaded")),
            new DebianPackage(Find(ShellFile()) ?? throw new KernelMissingException($"no {Shell} was downloaded"))
        );
    }

    private string? Find(Regex name) =>
        Directory
            .GetFiles(_cache, "*.deb")
            .Where(file => name.IsMatch(Path.GetFileName(file)))
            .OrderBy(VersionOf)
            .LastOrDefault();

    private static Version VersionOf(string name) =>
        VersionNumber().Match(Path.GetFileName(name)) is { Success: true } found
            ? Version.Parse(found.Value)
            : new Version();

    private async Task Download()
    {
        foreach (var tool in (string[])["apt-get", "apt-cache", "dpkg-deb"])
        {
            if (!Tool.IsHere(tool))
                throw new KernelMissingException($"{tool} is not here, and downloads the kernel's package of Debian");
        }

        var work = Directory.CreateDirectory(Path.Combine(_cache, $"download-{Environment.ProcessId}")).FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(work, "lists", "partial"));
            Directory.CreateDirectory(Path.Combine(work, "cache", "archives", "partial"));
            string[] lists = ["-o", $"Dir::State::lists={work}/lists", "-o", $"Dir::Cache={work}/cache"];
            var sources = Path.Combine(work, "sources.list");
            await File.WriteAllTextAsync(sources, $"deb [signed-by={Keys}] {await Archive(lists)} {Release} main\n");
            string[] options =
            [
                .. lists,
                .. (string[])["-o", $"Dir::Etc::sourcelist={sources}", "-o", "Dir::Etc::sourceparts=/dev/null"],
                // As root, apt would download as a user that cannot reach this folder.
                .. (string[])["-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none"],
            ];
            await Tool.RunAsync("apt-get", [.. options, "-o", "APT::Update::Error-Mode=any", "-qq", "update"]);
            var kernels = await Tool.RunAsync(
                "apt-cache",
                [.. options, "--names-only", "search", @"^linux-image-6\.12\..*-cloud-amd64$"]
            );
            var kernel =
                kernels
                    .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Select(line => line.Split(' ')[0])
                    .OrderBy(VersionOf)
                    .LastOrDefault()
                ?? throw new KernelMissingException($"Debian {Release} has no linux-image-6.12.*-cloud-amd64");
            await Tool.RunAsync(
                "apt-get",
                [.. options, "-qq", "download", kernel, Shell],
                output => output.CopyToAsync(Stream.Null),
                work
            );
            foreach (var package in Directory.GetFiles(work, "*.deb"))
                File.Move(package, Path.Combine(_cache, Path.GetFileName(package)), overwrite: true);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>Where this machine gets Debian's packages from: a mirror near it, perhaps.</summary>
    private static async Task<string> Archive(string[] options)
    {
        var targets = await Tool.RunAsync(
            "apt-get",
            [
                .. options,
                "indextargets",
                "--no-release-info",
                "--format",
                "$(RELEASE) $(COMPONENT) $(REPO_URI)",
                "Created-By: Packages",
            ]
        );
        return targets
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' '))
                .FirstOrDefault(words => words.Length == 3 && Releases.Contains(words[0]) && words[1] == "main")
                ?[2]
            ?? throw new KernelMissingException("this machine's apt-get has no archive of Debian");
    }

    private static string CacheRoot() =>
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } folder
            ? folder
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");

    [GeneratedRegex(@"^linux-image-6\.12\..*-cloud-amd64_.*\.deb$")]
    private static partial Regex KernelFile();

    [GeneratedRegex(@"^busybox-static_.*\.deb$")]
    private static partial Regex ShellFile();

    [GeneratedRegex(@"\d+\.\d+\.\d+")]
    private static partial Regex VersionNumber();
}
