using Akka.TestKit.Xunit2;
using Userfault.Tests;
using Xunit.Abstractions;

namespace Userfault.Actors.Tests;

/// <summary>Specs of actors. What is certain to come is waited for as long as a slow machine needs.</summary>
public abstract class Spec(ITestOutputHelper output, string config = "") : TestKit(config + Config, output)
{
    private static readonly string Config = $$"""

        akka.loglevel = ERROR
        akka.test {
          single-expect-default = {{Patience.OfMs(120_000)}}ms
          filter-leeway = {{Patience.OfMs(120_000)}}ms
          default-timeout = {{Patience.OfMs(120_000)}}ms
        }

        """;
}
