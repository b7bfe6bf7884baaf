using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using Userfault.Kernel.Tests.Cases;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Userfault.Kernel.Tests.Inside;

/// <summary>
/// Answers requests with results, both as JSON in one line each, until the other side ends: test after test, each with
/// fixtures of its own.
/// </summary>
internal sealed class CaseServer(Stream port)
{
    private static readonly XunitTestFramework Framework = new(new NullMessageSink());

    private readonly BlockingCollection<string> _requests = [];

    public void Serve()
    {
        new Thread(Read) { IsBackground = true }.Start();
        Answer(new KernelGreeting(Environment.OSVersion.Version.ToString(), Uptime()));
        foreach (var line in _requests.GetConsumingEnumerable())
        {
            var request = JsonSerializer.Deserialize<CaseRequest>(line)!;
            foreach (var (name, value) in request.Variables)
                Environment.SetEnvironmentVariable(name, value);
            Answer(Run(request.Case));
        }
    }

    // A thread of its own, since the other side may die while a test runs: the port then takes no answer and blocks the
    // writer for ever. Whatever the tests do at that time, this program ends, and the machine with it.
    private void Read()
    {
        using (var reader = new StreamReader(port, leaveOpen: true))
        {
            while (reader.ReadLine() is { } line)
                _requests.Add(line);
        }

        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    private static CaseAnswer Run(string serialized)
    {
        using var executor = Framework.GetExecutor(Assembly.GetExecutingAssembly().GetName());
        using var results = new ResultSink();
        var test = SerializationHelper.Deserialize<IXunitTestCase>(serialized);
        executor.RunTests([test], results, new DefaultOptions());
        return results.Wait();
    }

    // What the kernel says about its own start: seconds since then.
    private static double Uptime() =>
        double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

    private void Answer<T>(T answer)
    {
        port.Write(JsonSerializer.SerializeToUtf8Bytes(answer));
        port.WriteByte((byte)'\n');
        port.Flush();
    }

    private sealed class DefaultOptions : ITestFrameworkExecutionOptions
    {
        public TValue GetValue<TValue>(string name) => default!;

        public void SetValue<TValue>(string name, TValue value) { }
    }
}
