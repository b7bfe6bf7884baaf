using Akka.TestKit.Xunit2;
using Xunit.Abstractions;

namespace Userfault.Actors.Tests;

/// <summary>Specs of actors. What is certain to come is waited for as long as a slow machine needs.</summary>
public abstract class Spec(ITestOutputHelper output, string config = "") : TestKit(config + Config, output)
{
    private const string Config = """

        akka.loglevel = ERROR
        akka.test {
          single-expect-default = 120s
          filter-leeway = 120s
          default-timeout = 120s
        }

        """;
}
