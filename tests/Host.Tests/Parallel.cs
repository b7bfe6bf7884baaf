// Most tests here wait for other processes and use little of the processor themselves.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
