using BenchmarkDotNet.Running;
using Userfault.Bench;

// `dotnet run -c Release --project bench -- --filter '*Walk*'`: the figures that docs/performance.md quotes.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, ShortRun.Config);
