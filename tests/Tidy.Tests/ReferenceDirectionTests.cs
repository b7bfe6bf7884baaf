using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Userfault.Tidy.Tests;

/// <summary>References point one way: Host -> all; Simulation -> Actors -> Paging -> Mmu; Linux -> Paging.</summary>
public class ReferenceDirectionTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Mmu"] = [],
        ["Paging"] = ["Mmu"],
        ["Actors"] = ["Paging", "Mmu"],
        ["Simulation"] = ["Actors", "Paging", "Mmu"],
        ["Linux"] = ["Paging", "Mmu"],
        ["Host"] = ["Simulation", "Actors", "Linux", "Paging", "Mmu"],
    };

    [Fact]
    public void Every_room_of_src_is_in_the_picture() =>
        Assert.Empty(Repository.SourceRooms.Except(Allowed.Keys));

    [Fact]
    public void Project_references_point_one_way()
    {
        var wrong = from room in Repository.SourceRooms
                    from reference in Repository.ProjectReferences(room)
                    where !Allowed[room].Contains(reference)
                    select $"src/{room} must not refer to {reference}";
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("Mmu")]
    [InlineData("Paging")]
    [InlineData("Linux")]
    public void Rooms_below_the_actors_know_no_Akka(string room)
    {
        if (!Repository.SourceRooms.Contains(room)) return;
        Assert.Null(Repository.Property(room, "UsesAkka"));
        Assert.Null(Repository.Property(room, "UsesAkkaCluster"));
        Assert.DoesNotContain(Repository.Packages(room), p => p.StartsWith("Akka", StringComparison.Ordinal));
    }

    [Fact]
    public void Mmu_needs_nothing_but_the_base_class_library()
    {
        Assert.Empty(Repository.Packages("Mmu"));
        Assert.Empty(Repository.ProjectReferences("Mmu"));

        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Userfault.Mmu.dll"));
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        var foreign = metadata.AssemblyReferences
            .Select(h => metadata.GetString(metadata.GetAssemblyReference(h).Name))
            .Where(n => !n.StartsWith("System.", StringComparison.Ordinal));
        Assert.Empty(foreign);
    }

    [Fact]
    public void Mmu_uses_no_clock_no_files_no_sockets_and_starts_no_threads()
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Userfault.Mmu.dll"));
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        string[] namespaces = ["System.IO.", "System.Net", "System.Threading.Tasks", "System.Diagnostics.Stopwatch"];
        string[] types =
        [
            "System.DateTime", "System.DateTimeOffset", "System.TimeProvider", "System.Threading.Thread", "System.Threading.Timer",
            "System.Threading.ThreadPool", "System.IO.File", "System.IO.FileStream", "System.Console",
        ];
        var used = metadata.TypeReferences.Select(metadata.GetTypeReference)
            .Select(t => metadata.GetString(t.Namespace) + "." + metadata.GetString(t.Name))
            // A dump is text for whoever calls: a TextWriter is not a file.
            .Where(n => n != "System.IO.TextWriter")
            .Where(n => types.Contains(n) || namespaces.Any(p => n.StartsWith(p, StringComparison.Ordinal)));
        Assert.Empty(used);
    }
}
