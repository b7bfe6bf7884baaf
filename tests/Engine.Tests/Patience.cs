namespace Userfault.Engine.Tests;

/// <summary>Settings for what is certain to come: however slow the machine, the wait for it does not end first.</summary>
internal static class Patience
{
    public const string Config = """
        akka.test {
          single-expect-default = 120s
          filter-leeway = 120s
          default-timeout = 120s
        }

        """;
}
