using System.Diagnostics.CodeAnalysis;
using Userfault.Kernel.Tests.Machine;

namespace Userfault.Kernel.Tests.Cases;

/// <summary>All tests of one run share one kernel, one after the other; it is ended with the last.</summary>
[CollectionDefinition(Name)]
[SuppressMessage("Naming", "CA1711", Justification = "xunit's word for it")]
public sealed class KernelCollection : ICollectionFixture<KernelCollection.Lifetime>
{
    public const string Name = "kernel";

    public sealed class Lifetime : IAsyncLifetime
    {
        public Task InitializeAsync() => Task.CompletedTask;

        public Task DisposeAsync() => EmulatedKernel.EndAsync();
    }
}
