namespace Userfault.Tidy.Tests;

/// <summary>Inside a room folders do not refer to each other in circles, seen from compiled types.</summary>
public class FolderCircleTests
{
    public static TheoryData<string> Rooms => [.. Repository.SourceRooms];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void No_circle_between_the_folders_of_a_room(string room)
    {
        var name = room == "Host" ? "userfault" : $"Userfault.{room}";
        var types = CompiledTypes.Read(Path.Combine(AppContext.BaseDirectory, name + ".dll"), room);
        Assert.NotEmpty(types.References);

        Assert.Empty(Circles(types));
    }

    // Every reference between two folders that can reach each other, as "A -> B: Type -> Type".
    private static IEnumerable<string> Circles(CompiledTypes types)
    {
        var edges = types
            .References.Where(r => types.Folders.ContainsKey(r.From) && types.Folders.ContainsKey(r.To))
            .Select(r => (From: types.Folders[r.From], To: types.Folders[r.To], Types: $"{r.From} -> {r.To}"))
            .Where(e => e.From != e.To)
            .ToList();
        var next = edges.ToLookup(e => e.From, e => e.To);
        return edges.Where(e => Reaches(next, e.To, e.From)).Select(e => $"{e.From} -> {e.To}: {e.Types}").Order();
    }

    private static bool Reaches(ILookup<string, string> next, string from, string to)
    {
        var seen = new HashSet<string> { from };
        var open = new Stack<string>([from]);
        while (open.TryPop(out var folder))
        {
            if (folder == to)
                return true;
            foreach (var other in next[folder].Where(seen.Add))
                open.Push(other);
        }

        return false;
    }
}
