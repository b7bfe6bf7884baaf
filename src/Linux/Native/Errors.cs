using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Userfault.Linux;

/// <summary>errno of the last call of this thread, read before anything else is called.</summary>
internal static class Errors
{
    /// <summary>What the last call of this thread answered.</summary>
    public static LinuxErrno Last => (LinuxErrno)Marshal.GetLastPInvokeError();

    /// <summary>The result, or an exception where it is negative.</summary>
    public static int Check(int result, string call, string? mend = null) => result >= 0 ? result : Throw(call, mend);

    /// <summary>The result, or an exception where it is negative.</summary>
    public static nint Check(nint result, string call, string? mend = null) => result >= 0 ? result : Throw(call, mend);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Throw(string call, string? mend) => throw new LinuxException(call, Last, mend);
}
