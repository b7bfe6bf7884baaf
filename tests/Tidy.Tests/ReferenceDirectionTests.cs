using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Userfault.Tidy.Tests;

/// <summary>
/// References point one way: Host -> all; Simulation -> Nodes -> Actors -> Fetch -> Pages -> Mmu; DataPlane, Handler,
/// Qemu and Kvm -> Linux.
/// </summary>
public class ReferenceDirectionTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Mmu"] = [],
        ["Linux"] = ["Mmu"],
        ["Pages"] = ["Linux", "Mmu"],
        ["Fetch"] = ["Pages", "Mmu"],
        ["DataPlane"] = ["Pages", "Linux", "Mmu"],
        ["Handler"] = ["Fetch", "DataPlane", "Pages", "Linux", "Mmu"],
        ["Qemu"] = ["Fetch", "DataPlane", "Pages", "Linux", "Mmu"],
        ["Actors"] = ["Fetch", "Pages", "Linux", "Mmu"],
        ["Nodes"] = ["Actors", "DataPlane", "Fetch", "Pages", "Mmu"],
        ["Kvm"] = ["Actors", "Fetch", "Pages", "Linux", "Mmu"],
        ["Capacity"] = ["Fetch", "Pages", "Mmu"],
        ["Simulation"] = ["Nodes", "Actors", "DataPlane", "Fetch", "Pages", "Mmu"],
        ["Host"] =
        [
            "Simulation",
            "Capacity",
            "Kvm",
            "Nodes",
            "Actors",
            "Handler",
            "Qemu",
            "DataPlane",
            "Fetch",
            "Pages",
            "Linux",
            "Mmu",
        ],
    };

    [Fact]
    public void Every_room_of_src_is_in_the_picture() => Assert.Empty(Repository.SourceRooms.Except(Allowed.Keys));

    [Fact]
    public void Project_references_point_one_way()
    {
        var wrong =
            from room in Repository.SourceRooms
            from reference in Repository.ProjectReferences(room)
            where !Allowed[room].Contains(reference)
            select $"src/{room} must not refer to {reference}";
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("Mmu")]
    [InlineData("Linux")]
    [InlineData("Pages")]
    [InlineData("Fetch")]
    [InlineData("DataPlane")]
    [InlineData("Handler")]
    [InlineData("Qemu")]
    [InlineData("Capacity")]
    public void Rooms_below_the_actors_know_no_Akka(string room)
    {
        if (!Repository.SourceRooms.Contains(room))
            return;
        Assert.DoesNotContain(Repository.Packages(room), p => p.StartsWith("Akka", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Userfault.Actors.dll")]
    [InlineData("Userfault.Simulation.dll")]
    [InlineData("userfault.dll")]
    public void Nothing_but_Nodes_knows_Akka_Cluster_and_its_remoting(string assembly)
    {
        Assert.DoesNotContain(
            References(assembly),
            static n => n is "Akka.Remote" || n.StartsWith("Akka.Cluster", StringComparison.Ordinal)
        );
        Assert.Contains("Akka.Cluster", References("Userfault.Nodes.dll"));
    }

    // Akka.Analyzers comes with the package, and reaches a project only where the project names it.
    [Theory]
    [InlineData("Actors")]
    [InlineData("Nodes")]
    [InlineData("Kvm")]
    [InlineData("Simulation")]
    [InlineData("Host")]
    public void Rooms_with_actors_are_looked_at_by_Akkas_analyzers(string room) =>
        Assert.Contains("Akka", Repository.Packages(room));

    [Fact]
    public void Only_the_adapter_inside_of_Nodes_names_Akka_Cluster()
    {
        var found = Repository
            .SourceFiles("src")
            .Where(static f => !Repository.Relative(f).StartsWith("src/Nodes/AkkaCluster/", StringComparison.Ordinal))
            .Where(static f =>
                File.ReadLines(f)
                    .Any(static l =>
                        !l.TrimStart().StartsWith("//", StringComparison.Ordinal)
                        && l.Contains("Akka.Cluster", StringComparison.Ordinal)
                    )
            );
        Assert.Empty(found.Select(Repository.Relative));
    }

    [Fact]
    public void Mmu_needs_nothing_but_the_base_class_library()
    {
        Assert.Empty(Repository.Packages("Mmu"));
        Assert.Empty(Repository.ProjectReferences("Mmu"));

        Assert.DoesNotContain(
            References("Userfault.Mmu.dll"),
            static n => !n.StartsWith("System.", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("Userfault.Mmu.dll")]
    [InlineData("Userfault.Fetch.dll")]
    public void Pure_rooms_use_no_clock_no_files_no_sockets_and_start_no_threads(string assembly)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, assembly));
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        string[] namespaces = ["System.IO.", "System.Net", "System.Threading.Tasks", "System.Diagnostics.Stopwatch"];
        string[] types =
        [
            "System.DateTime",
            "System.DateTimeOffset",
            "System.TimeProvider",
            "System.Threading.Thread",
            "System.Threading.Timer",
            "System.Threading.ThreadPool",
            "System.IO.File",
            "System.IO.FileStream",
            "System.Console",
        ];
        var used = metadata
            .TypeReferences.Select(metadata.GetTypeReference)
            .Select(t => metadata.GetString(t.Namespace) + "." + metadata.GetString(t.Name))
            // A dump is text for whoever calls: a TextWriter is not a file.
            .Where(n => n != "System.IO.TextWriter")
            .Where(n => types.Contains(n) || namespaces.Any(p => n.StartsWith(p, StringComparison.Ordinal)));
        Assert.Empty(used);
    }

    private static List<string> References(string assembly)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, assembly));
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(h => metadata.GetString(metadata.GetAssemblyReference(h).Name))];
    }
}
