using System.Runtime.CompilerServices;

// The core finds the provider by its assembly-qualified name; the type itself lives in a neutral assembly.
[assembly: TypeForwardedTo(typeof(Akka.Cluster.ClusterActorRefProvider))]
