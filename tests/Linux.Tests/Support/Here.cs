namespace Userfault.Linux.Tests;

/// <summary>What this machine must have for a test to say anything.</summary>
internal static class Here
{
    /// <summary>Skips the test where no userfaultfd can be opened.</summary>
    public static void NeedsUserfaultfd(UffdWay way = UffdWay.Any) => Skip.If(Userfaultfd.WhyNot(way) is not null, Userfaultfd.WhyNot(way));
}
