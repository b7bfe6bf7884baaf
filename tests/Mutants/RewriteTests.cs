namespace Userfault.Mutants;

/// <summary>The list fits the source as it is: what drifts apart is noticed at once.</summary>
public sealed class RewriteTests
{
    [Fact]
    public void Every_text_stands_in_its_file_exactly_once_and_none_overlaps_another()
    {
        var problems = new List<string>();
        foreach (var file in Rewriter.FilesOf(AllMutants.List))
        {
            try
            {
                Rewriter.Apply(file, File.ReadAllText(Repository.Source(file)), AllMutants.List);
            }
            catch (Exception e) when (e is InvalidDataException or IOException)
            {
                problems.Add(e.Message);
            }
        }

        Assert.Empty(problems);
    }

    [Fact]
    public void Names_are_unique_and_fit_a_variable()
    {
        Assert.Equal(AllMutants.List.Count, AllMutants.List.DistinctBy(static m => m.Id).Count());
        Assert.All(AllMutants.List, static m => Assert.Matches("^[a-z]+[0-9]*(-[a-z0-9]+)*$", m.Id));
    }

    [Fact]
    public void Every_rewrite_changes_something() =>
        Assert.All(AllMutants.List.SelectMany(static m => m.Rewrites), static r => Assert.NotEqual(r.Text, r.Replacement));

    [Fact]
    public void There_are_enough_of_them() =>
        Assert.True(AllMutants.List.Count >= 60, $"{AllMutants.List.Count} mutants");

    [Theory]
    [InlineData("a = 1;", "a = 2;", "if (F.X) { a = 2; } else { a = 1; }")]
    [InlineData("a = 1;", "", "if (F.X) {  } else { a = 1; }")]
    [InlineData("a + 1", "a", "(F.X ? (a) : (a + 1))")]
    [InlineData("if (a) b();", "if (a && !BUG) b();", "if (a && !F.X) b();")]
    public void A_rewrite_is_switched_by_its_flag(string text, string replacement, string expected)
    {
        var content = $"x;\n    {text}\ny;";
        var found = Assert.Single(new Rewrite("f.cs", text, replacement).In(content));
        Assert.Equal(expected, new Rewrite("f.cs", text, replacement).With(found.Value, "F.X"));
    }

    [Fact]
    public void A_text_of_several_lines_is_found_however_they_are_indented() =>
        Assert.Single(new Rewrite("f.cs", "if (a)\n    b();", "").In("{\n        if (a)\n            b();\n}"));
}
