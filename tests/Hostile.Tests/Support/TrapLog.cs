namespace Userfault.Hostile.Tests;

/// <summary>
/// What was touched of the types that peers name and nobody may make: <see cref="Trap"/>, <see cref="TrapActor"/>,
/// <see cref="TrapException"/>; and whether anybody looked for the type that does not exist.
/// </summary>
internal static class TrapLog
{
    /// <summary>A type that exists in this process. Written out: <c>typeof</c> must not be needed to name it.</summary>
    public const string Trap = "Userfault.Hostile.Tests.Trap, Userfault.Hostile.Tests";

    /// <summary>An actor class that exists in this process.</summary>
    public const string Actor = "Userfault.Hostile.Tests.TrapActor, Userfault.Hostile.Tests";

    /// <summary>An exception that exists in this process.</summary>
    public const string Exception = "Userfault.Hostile.Tests.TrapException, Userfault.Hostile.Tests";

    /// <summary>A type of an assembly that does not exist: looking it up raises an event.</summary>
    public const string Unknown = UnknownAssembly + ".Thing, " + UnknownAssembly;

    private const string UnknownAssembly = "Userfault.Unknown";
    private static readonly System.Collections.Concurrent.ConcurrentQueue<string> Touched = new();

    /// <summary>All of it.</summary>
    public static IReadOnlyCollection<string> Touches => Touched;

    /// <summary>Has whoever looks for the type that does not exist recorded, from now on.</summary>
    public static void Watch() => AppDomain.CurrentDomain.AssemblyResolve += static (_, asked) =>
    {
        if (asked.Name.StartsWith(UnknownAssembly, StringComparison.Ordinal)) Touch($"{asked.Name} was looked for");
        return null;
    };

    /// <summary>Something was touched.</summary>
    public static void Touch(string what) => Touched.Enqueue(what);
}
