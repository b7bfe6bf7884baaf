namespace Userfault.Handler.Tests;

/// <summary>
/// Tests that count this process's descriptors, or fill the machine with threads: nothing else runs beside them.
/// </summary>
[CollectionDefinition(nameof(OneAtATime), DisableParallelization = true)]
public class OneAtATime;
