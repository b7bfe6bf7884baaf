using System.ComponentModel;
using Userfault.Tests;

namespace Userfault.Mutants;

/// <summary>
/// A copy of the source in which every mutant stands beside the original, built once, in a folder of its own that is deleted at
/// the end. Which mutant is on is chosen by the environment of each program that is run from it.
/// </summary>
internal sealed class MutatedCopy : IDisposable
{
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(20);

    // Analyzers and style have had their say about the original; documentation nobody reads.
    private static readonly string[] Quick =
    [
        "-p:TreatWarningsAsErrors=false", "-p:MSBuildTreatWarningsAsErrors=false", "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false",
        "-p:GenerateDocumentationFile=false", "-p:WarningLevel=0", "-p:DebugType=none", "-nodeReuse:false", "-v:quiet",
    ];

    private static readonly string[] RootFiles =
    [
        "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "BannedSymbols.txt", "akka.hocon", "global.json",
    ];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("userfault-mutants-");

    private MutatedCopy()
    {
    }

    /// <summary>Makes and builds a copy.</summary>
    /// <param name="mutants">All mutants.</param>
    /// <param name="cancelled">Ends it early.</param>
    /// <exception cref="NoSdkException">Nothing can be built here.</exception>
    /// <exception cref="InvalidDataException">It does not compile: a rewrite does not fit.</exception>
    public static async Task<MutatedCopy> BuildAsync(IReadOnlyList<Mutant> mutants, CancellationToken cancelled)
    {
        var copy = new MutatedCopy();
        try
        {
            await copy.NeedSdkAsync(cancelled);
            var tests = mutants.Select(static m => m.FoundBy).OfType<Finder.ByTest>().Select(static t => t.Project).Distinct().ToList();
            copy.CopyTree(tests);
            copy.Mutate(mutants);
            await copy.BuildAsync(tests, cancelled);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>A file in its folder.</summary>
    public string At(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Runs the command from the copy.</summary>
    /// <param name="mutant">Which mutant is on; null for none.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="arguments">The command's arguments.</param>
    /// <param name="cancelled">Ends it early.</param>
    public Task<Child> CommandAsync(Mutant? mutant, TimeSpan limit, IEnumerable<string> arguments, CancellationToken cancelled) =>
        Child.RunAsync(_folder.FullName, limit, With(mutant), ["exec", Output("src/Host", "userfault.dll"), .. arguments], cancelled);

    /// <summary>Runs tests from the copy.</summary>
    /// <param name="mutant">Which mutant is on; null for none.</param>
    /// <param name="limit">How long they may take.</param>
    /// <param name="project">Their project.</param>
    /// <param name="methods">Their names.</param>
    /// <param name="report">Where the report goes, as TRX.</param>
    /// <param name="cancelled">Ends it early.</param>
    public Task<Child> TestAsync(
        Mutant? mutant, TimeSpan limit, string project, IEnumerable<string> methods, string report, CancellationToken cancelled) =>
        Child.RunAsync(
            _folder.FullName, limit, With(mutant),
            [
                "vstest", Output($"tests/{project}", $"Userfault.{project}.dll"),
                $"--TestCaseFilter:{string.Join('|', methods.Select(static m => $"FullyQualifiedName={m}"))}", $"--logger:trx;LogFileName={report}",
            ],
            cancelled);

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);

    private static Dictionary<string, string> With(Mutant? mutant) => new()
    {
        [Mutant.Variable] = mutant?.Id ?? "",
        // A mutant's test is to fail: nothing that it waits for in vain needs to be waited for as long as a slow machine takes.
        [Patience.Variable] = mutant is null ? "" : "6",
        // Most of a short program's time is compiling itself.
        ["DOTNET_TieredCompilation"] = "1",
        ["DOTNET_TC_QuickJit"] = "1",
    };

    private string Output(string project, string file) => At($"{project}/bin/Debug/net10.0/{file}");

    // In the copy's own folder: what its global.json asks for is what is needed.
    private async Task NeedSdkAsync(CancellationToken cancelled)
    {
        File.Copy(Path.Combine(Repository.Root, "global.json"), At("global.json"));
        try
        {
            var version = await Child.RunAsync(_folder.FullName, BuildLimit, new Dictionary<string, string>(), ["--version"], cancelled);
            if (version.ExitCode != 0) throw new NoSdkException(version.Output.ReplaceLineEndings(" "));
        }
        catch (Win32Exception e)
        {
            throw new NoSdkException(e.Message);
        }
    }

    private void CopyTree(IEnumerable<string> tests)
    {
        foreach (var file in RootFiles) File.Copy(Path.Combine(Repository.Root, file), At(file), overwrite: true);
        string[] folders = ["src", "samples", "tests/Shared", .. tests.Select(static t => $"tests/{t}")];
        foreach (var folder in folders) CopyFolder(new DirectoryInfo(Path.Combine(Repository.Root, folder)), At(folder));
    }

    private static void CopyFolder(DirectoryInfo from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in from.EnumerateFiles()) file.CopyTo(Path.Combine(to, file.Name));
        foreach (var folder in from.EnumerateDirectories().Where(static d => d.Name is not ("bin" or "obj")))
            CopyFolder(folder, Path.Combine(to, folder.Name));
    }

    private void Mutate(IReadOnlyList<Mutant> mutants)
    {
        foreach (var file in Rewriter.FilesOf(mutants))
        {
            var path = At($"src/{file}");
            File.WriteAllText(path, Rewriter.Apply(file, File.ReadAllText(path), mutants));
        }

        File.WriteAllText(At("Bugs.cs"), Rewriter.FlagsOf(mutants));
        var targets = File.ReadAllText(At("Directory.Build.targets"));
        const string end = "</Project>";
        File.WriteAllText(At("Directory.Build.targets"), targets.Replace(end, $"""
              <ItemGroup Condition="'$(IsSourceRoom)' == 'true'">
                <Compile Include="$(RepoRoot)Bugs.cs" />
              </ItemGroup>
            {end}
            """, StringComparison.Ordinal));
    }

    private async Task BuildAsync(IEnumerable<string> tests, CancellationToken cancelled)
    {
        var projects = tests.Select(static t => $"tests/{t}/{t}.csproj").Prepend("src/Host/Host.csproj");
        File.WriteAllText(At("Mutated.slnx"), $"<Solution>{string.Concat(projects.Select(static p => $"<Project Path=\"{p}\" />"))}</Solution>");
        // A compiler of its own, so that it can be ended: one that stays to serve others would be left behind.
        var build = await Child.RunAsync(
            _folder.FullName, BuildLimit, new Dictionary<string, string>(), ["build", "Mutated.slnx", .. Quick, "-p:UseSharedCompilation=false"], cancelled);
        if (build.ExitCode != 0) throw new InvalidDataException($"the mutated copy does not build:\n{build.Output}");
    }
}
