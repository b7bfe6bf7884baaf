using Userfault.Pages;

namespace Userfault.Tests;

internal static class Expect
{
    /// <summary>The call refuses its input with this error, in one line that holds all the given words.</summary>
    public static void Refused(PagingError error, Action call, params string[] words)
    {
        var e = Assert.Throws<PagingException>(call);
        Assert.Equal(error, e.Error);
        Assert.DoesNotContain('\n', e.Message);
        Assert.All(words, word => Assert.Contains(word, e.Message));
        // The thing, the problem and the mend.
        Assert.Matches("^.+: .+; .+$", e.Message);
    }
}
