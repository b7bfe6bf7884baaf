using Akka.Configuration;

namespace Userfault.Simulation;

/// <summary>
/// The configuration that runs an actor system in a world: every dispatcher, mailbox, timer and logger is the world's.
/// </summary>
internal static class SimSystems
{
    private static readonly string Dispatcher = Named<SimDispatcherConfigurator>();
    private static readonly string Mailbox = Named<SimMailboxType>();

    public static readonly Config Settings = ConfigurationFactory.ParseString(
        $$"""
        akka {
          loglevel = WARNING
          stdout-loglevel = WARNING
          stdout-logger-class = "{{Named<SimLogger>()}}"
          loggers = ["{{Named<SimLogger>()}}"]
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          scheduler.implementation = "{{Named<SimScheduler>()}}"
          coordinated-shutdown {
            run-by-actor-system-terminate = off
            run-by-clr-shutdown-hook = off
          }
          actor {
            default-dispatcher.type = "{{Dispatcher}}"
            internal-dispatcher.type = "{{Dispatcher}}"
            default-blocking-io-dispatcher.type = "{{Dispatcher}}"
            default-mailbox.mailbox-type = "{{Mailbox}}"
            mailbox {
              unbounded-queue-based.mailbox-type = "{{Mailbox}}"
              unbounded-deque-based.mailbox-type = "{{Mailbox}}"
              logger-queue.mailbox-type = "{{Mailbox}}"
            }
          }
        }
        """
    );

    private static string Named<T>() => $"{typeof(T).FullName}, {typeof(T).Assembly.GetName().Name}";
}
