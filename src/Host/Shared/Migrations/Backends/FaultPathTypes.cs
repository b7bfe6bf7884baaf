using System.Reflection;
using System.Runtime.CompilerServices;
using Userfault.Actors;
using Userfault.Fetch;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// The types between a guest of actors and its pages. The small guest of a warm-up compiles what it comes through, one
/// method after another; these are compiled beside it on another core, with what it may not come through: a hedge, a
/// retry, a source that is lost.
/// </summary>
internal static class FaultPathTypes
{
    private const BindingFlags Own =
        BindingFlags.Public
        | BindingFlags.NonPublic
        | BindingFlags.Static
        | BindingFlags.Instance
        | BindingFlags.DeclaredOnly;

    /// <summary>Those of src/Pages, by name.</summary>
    internal static readonly string[] OfPages =
    [
        "ByteGuestMemory",
        "GuestVerifier",
        "LatencyHistogram",
        "LazyMemory",
        "LinkModel",
        "LocalPageSource",
        "OutwardPush",
        "PageBatch",
        "PageBatchPool",
        "PageClaims",
        "PageReader",
        "PageTag",
        "PushOrder",
        "RecordedPush",
        "SequentialPush",
        "SpinningPump",
        "StampLedger",
        "StampMath",
        "TraceWorkload",
        "ZeroPage",
    ];

    /// <summary>Those of src/Mmu, by name.</summary>
    internal static readonly string[] OfMmu =
    [
        "BitmapWords",
        "FaultPath",
        "MemslotCore",
        "MemslotGeneration",
        "MemslotSet",
        "MemslotWork",
        "RegionChecks",
        "TablePages",
        "TableReaders",
        "Tlb",
        "TlbBank",
        "TlbShootdown",
        "UserfaultBitmap",
    ];

    // What records are given by the compiler, and accessors, which become part of their callers.
    private static readonly string[] Generated =
    [
        "Deconstruct",
        "Equals",
        "GetHashCode",
        "PrintMembers",
        "ToString",
        "get_",
        "op_",
        "set_",
        "<Clone>$",
    ];

    /// <summary>Compiles them.</summary>
    public static void Compile()
    {
        Compile(typeof(UserfaultBitmap), OfMmu);
        Compile(typeof(IGuestMemory), OfPages);
        Compile(typeof(FetchCore), null);
        Compile(typeof(MigrationActor), null);
    }

    private static void Compile(Type room, string[]? names)
    {
        foreach (var type in room.Assembly.GetTypes())
        {
            if (type.ContainsGenericParameters || type.IsInterface || typeof(Delegate).IsAssignableFrom(type))
                continue;
            var outer = type;
            while (outer.DeclaringType is { } declaring)
                outer = declaring;
            if (names?.Contains(outer.Name) == false)
                continue;
            foreach (var method in type.GetMethods(Own))
            {
                if (!method.IsAbstract && !method.ContainsGenericParameters && !IsGenerated(method.Name))
                    RuntimeHelpers.PrepareMethod(method.MethodHandle);
            }
        }
    }

    private static bool IsGenerated(string name)
    {
        foreach (var generated in Generated)
        {
            if (name.StartsWith(generated, StringComparison.Ordinal))
                return true;
        }

        return false;
    }
}
