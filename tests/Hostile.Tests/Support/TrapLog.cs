namespace Userfault.Hostile.Tests;

/// <summary>
/// Records whether a type that a peer named was used: <see cref="Trap"/>, <see cref="TrapActor"/>, <see
/// cref="TrapException"/> and <see cref="Gadget"/> report it, and a lookup of the type that does not exist raises an
/// event.
/// </summary>
internal static class TrapLog
{
    /// <summary>Name of a class in this process.</summary>
    public const string Trap = "Userfault.Hostile.Tests.Trap, Userfault.Hostile.Tests";

    /// <summary>Name of an actor class in this process.</summary>
    public const string Actor = "Userfault.Hostile.Tests.TrapActor, Userfault.Hostile.Tests";

    /// <summary>Name of an exception class in this process.</summary>
    public const string Exception = "Userfault.Hostile.Tests.TrapException, Userfault.Hostile.Tests";

    /// <summary>Name of a type in an assembly that does not exist: a lookup raises an event.</summary>
    public const string Unknown = UnknownAssembly + ".Thing, " + UnknownAssembly;

    private const string UnknownAssembly = "Userfault.Unknown";
    private static readonly System.Collections.Concurrent.ConcurrentQueue<string> Touched = new();

    /// <summary>All uses so far.</summary>
    public static IReadOnlyCollection<string> Touches => Touched;

    /// <summary>Records lookups of the type that does not exist from now on.</summary>
    public static void Watch() => AppDomain.CurrentDomain.AssemblyResolve += static (_, asked) =>
    {
        if (asked.Name.StartsWith(UnknownAssembly, StringComparison.Ordinal)) Touch($"{asked.Name} was looked up");
        return null;
    };

    /// <summary>Records a use.</summary>
    public static void Touch(string what) => Touched.Enqueue(what);
}
