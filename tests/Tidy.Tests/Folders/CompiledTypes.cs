using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Userfault.Tidy.Tests;

/// <summary>
/// The types of one compiled room, with the folder that each was compiled from and the other types of the room that it
/// refers to: by its bases, fields, signatures, local variables and instructions. Nested and generated types count as
/// their outermost type. Constants leave no trace in compiled code.
/// </summary>
internal sealed class CompiledTypes
{
    // CustomDebugInformation of types without method bodies: the documents that they are written in.
    private static readonly Guid TypeDefinitionDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    private readonly MetadataReader _metadata;
    private readonly MetadataReader _symbols;
    private readonly string _root;

    private CompiledTypes(PEReader assembly, MetadataReader symbols, string room)
    {
        (_metadata, _symbols, _root) = (assembly.GetMetadataReader(), symbols, $"/src/{room}/");
        foreach (var handle in _metadata.TypeDefinitions)
            AddFolder(handle);
        foreach (var handle in _metadata.TypeDefinitions)
            AddReferences(assembly, handle);
    }

    /// <summary>Folder of each outermost type, relative to the room; "." is the room itself.</summary>
    public Dictionary<string, string> Folders { get; } = [];

    /// <summary>Pairs of outermost types: the first refers to the second.</summary>
    public HashSet<(string From, string To)> References { get; } = [];

    /// <summary>Reads an assembly and the symbols that lie beside it.</summary>
    public static CompiledTypes Read(string path, string room)
    {
        using var assembly = new PEReader(File.OpenRead(path));
        using var symbols = MetadataReaderProvider.FromPortablePdbStream(
            File.OpenRead(Path.ChangeExtension(path, ".pdb"))
        );
        return new CompiledTypes(assembly, symbols.GetMetadataReader(), room);
    }

    private void AddFolder(TypeDefinitionHandle handle)
    {
        foreach (var document in Documents(handle))
        {
            var path = _symbols.GetString(_symbols.GetDocument(document).Name);
            var at = path.IndexOf(_root, StringComparison.Ordinal);
            if (at < 0 || path.Contains("/obj/", StringComparison.Ordinal))
                continue;
            var folder = Path.GetDirectoryName(path[(at + _root.Length)..]);
            Folders.TryAdd(Outermost(handle), string.IsNullOrEmpty(folder) ? "." : folder);
        }
    }

    private IEnumerable<DocumentHandle> Documents(TypeDefinitionHandle handle)
    {
        foreach (var info in _symbols.GetCustomDebugInformation(handle).Select(_symbols.GetCustomDebugInformation))
        {
            if (_symbols.GetGuid(info.Kind) != TypeDefinitionDocuments)
                continue;
            var blob = _symbols.GetBlobReader(info.Value);
            while (blob.RemainingBytes > 0)
                yield return MetadataTokens.DocumentHandle(blob.ReadCompressedInteger());
        }

        foreach (var method in _metadata.GetTypeDefinition(handle).GetMethods())
        {
            var document = _symbols.GetMethodDebugInformation(method.ToDebugInformationHandle()).Document;
            if (!document.IsNil)
                yield return document;
        }
    }

    private void AddReferences(PEReader assembly, TypeDefinitionHandle handle)
    {
        var from = Outermost(handle);
        foreach (var to in new TypeUses(_metadata, assembly).Of(handle))
        {
            if (Outermost(to) is var name && name != from)
                References.Add((from, name));
        }
    }

    private string Outermost(TypeDefinitionHandle handle)
    {
        var type = _metadata.GetTypeDefinition(handle);
        return type.GetDeclaringType() is { IsNil: false } outer ? Outermost(outer) : _metadata.GetString(type.Name);
    }
}
