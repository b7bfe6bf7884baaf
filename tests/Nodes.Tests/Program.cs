using Userfault.Nodes.Tests.Contract;

namespace Userfault.Nodes.Tests;

/// <summary>
/// The program of the processes that the contract suite starts: <c>dotnet exec Userfault.Nodes.Tests.dll node</c>.
/// </summary>
internal static class Program
{
    public static int Main(string[] args)
    {
        if (args is not ["node"]) return 2;
        ChildNode.Run(Console.In, Console.Out);
        return 0;
    }
}
