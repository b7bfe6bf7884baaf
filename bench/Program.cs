using BenchmarkDotNet.Running;

// `dotnet run -c Release --project bench -- --filter '*Walk*'`: the figures that docs/performance.md quotes.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
