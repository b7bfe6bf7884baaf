using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;
using Userfault.Linux;

namespace Userfault.Cli;

/// <summary>A page-fault handler as it tells of itself over its status socket.</summary>
internal static class HandlerStatus
{
    private const int PatienceMs = 10_000;

    /// <summary>Asks, and writes what it hears.</summary>
    /// <param name="option">The option's name, for messages.</param>
    /// <param name="path">The handler's status socket.</param>
    /// <param name="format">As it comes, or as a table.</param>
    /// <exception cref="CliException">No handler answers there.</exception>
    public static int Run(string option, string path, StatusFormat format)
    {
        if (!OperatingSystem.IsLinux())
            throw new CliException($"{option}: a page-fault handler runs on Linux alone");
        var text = Ask(option, path);
        try
        {
            using var report = JsonDocument.Parse(text);
            if (format == StatusFormat.Json)
                Console.Out.WriteLine(text);
            else
                Write(report.RootElement);
            return ExitCodes.Success;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CliException($"{option}: what listens at {path} is no status socket of a handler");
        }
    }

    private static string Ask(string option, string path)
    {
        try
        {
            using var socket = UnixSocket.Connect(path);
            using var answer = new MemoryStream();
            var buffer = new byte[1 << 16];
            while (socket.WaitReadable(PatienceMs))
            {
                var bytes = socket.Receive(buffer, []);
                if (bytes <= 0)
                    return Encoding.UTF8.GetString(answer.ToArray());
                answer.Write(buffer, 0, bytes);
            }

            throw new CliException($"{option}: the handler at {path} has not answered within {PatienceMs / 1000} s");
        }
        catch (LinuxException e)
        {
            throw new CliException($"{option}: {e.Message}");
        }
    }

    private static void Write(JsonElement handler)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        if (Console.IsOutputRedirected)
            console.Profile.Width = 200;
        var table = new Table().Border(TableBorder.Rounded);
        foreach (
            var column in new[] { "vm", "monitor", "form", "in place", "faults", "given back", "p50", "p99", "state" }
        )
        {
            table.AddColumn(column);
        }

        foreach (var vm in handler.GetProperty("vms").EnumerateArray())
        {
            long Count(string name) => vm.GetProperty(name).GetInt64();
            string Wait(string name) =>
                Units.Duration((long)(vm.GetProperty("faultLatencyUs").GetProperty(name).GetDouble() * 1e3));
            var (present, pages) = (Count("pagesPresent"), Count("pages"));
            var end = vm.GetProperty("end").GetString();
            table.AddRow([
                .. new[]
                {
                    vm.GetProperty("id").ToString(),
                    vm.GetProperty("monitorPid").ToString(),
                    vm.GetProperty("secretFree").GetBoolean() ? "secret-free" : "main",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{present}/{pages} ({100.0 * present / Math.Max(1, pages):0.0} %)"
                    ),
                    (Count("faults") + Count("requests")).ToString(CultureInfo.InvariantCulture),
                    Count("removedPages").ToString(CultureInfo.InvariantCulture),
                    Wait("p50"),
                    Wait("p99"),
                    end == "none"
                        ? "served"
                        : end + (vm.GetProperty("reason").GetString() is { } reason ? $": {reason}" : ""),
                }.Select(Markup.Escape),
            ]);
        }

        Console.Out.WriteLine(
            $"handler {handler.GetProperty("process")}: image {handler.GetProperty("image").GetString()![..16]} "
                + $"({handler.GetProperty("name").GetString()}, "
                + $"{handler.GetProperty("pageCount")} pages), "
                + $"{(handler.GetProperty("standby").GetBoolean() ? "a standby is attached" : "no standby")}"
        );
        console.Write(table);
    }
}
