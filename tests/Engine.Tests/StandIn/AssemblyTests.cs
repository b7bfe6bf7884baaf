using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests.StandIn;

/// <summary>Where the stand-in's types are to be found, and what they are made of.</summary>
public sealed class AssemblyTests
{
    private static readonly Assembly Code = typeof(TestKit).Assembly;

    [Fact]
    public void Every_type_of_the_kit_answers_to_the_name_HOCON_knows()
    {
        var types = Code.GetExportedTypes()
            .Where(t => !t.IsNested && t.Namespace?.StartsWith("Akka.TestKit.Xunit2", StringComparison.Ordinal) == false)
            .ToList();

        Assert.Equal(40, types.Count);
        Assert.All(types, t => Assert.Same(t, Type.GetType($"{t.FullName}, Akka.TestKit")));
    }

    [Fact]
    public void The_code_is_no_friend_of_Akka()
    {
        var friends = typeof(ActorSystem).Assembly.GetCustomAttributes<InternalsVisibleToAttribute>();
        Assert.DoesNotContain(friends, f => new AssemblyName(f.AssemblyName).Name == Code.GetName().Name);
    }

    [Fact]
    public void The_friend_of_Akka_has_no_code()
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Akka.TestKit.dll"));
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        Assert.Empty(metadata.MethodDefinitions);
        Assert.Equal(40, metadata.ExportedTypes.Count(h => metadata.GetExportedType(h).IsForwarder
            && metadata.GetExportedType(h).Implementation.Kind == HandleKind.AssemblyReference));
    }
}
