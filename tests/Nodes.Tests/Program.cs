using Userfault.Nodes.Tests.Contract;

namespace Userfault.Nodes.Tests;

/// <summary>What the contract suite starts as processes of its own: <c>dotnet exec Userfault.Nodes.Tests.dll node</c>.</summary>
internal static class Program
{
    public static int Main(string[] args)
    {
        if (args is not ["node"]) return 2;
        ChildNode.Run(Console.In, Console.Out);
        return 0;
    }
}
