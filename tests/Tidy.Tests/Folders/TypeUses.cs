using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Userfault.Tidy.Tests;

/// <summary>The types of the same assembly that a type names.</summary>
internal sealed class TypeUses(MetadataReader metadata, PEReader assembly)
    : ISignatureTypeProvider<TypeUses.Nothing, TypeUses.Nothing>
{
    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes)
        .GetFields()
        .Select(f => f.GetValue(null))
        .OfType<OpCode>()
        .ToDictionary(o => (int)(ushort)o.Value);

    private readonly HashSet<TypeDefinitionHandle> _found = [];

    public HashSet<TypeDefinitionHandle> Of(TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        Add(type.BaseType);
        foreach (var i in type.GetInterfaceImplementations())
            Add(metadata.GetInterfaceImplementation(i).Interface);
        foreach (var f in type.GetFields())
            metadata.GetFieldDefinition(f).DecodeSignature(this, default);
        foreach (var e in type.GetEvents())
            Add(metadata.GetEventDefinition(e).Type);
        AddConstraints(type.GetGenericParameters());
        AddAttributes(type.GetCustomAttributes());
        foreach (var m in type.GetMethods())
            AddMethod(metadata.GetMethodDefinition(m));
        return _found;
    }

    private void AddMethod(MethodDefinition method)
    {
        method.DecodeSignature(this, default);
        AddConstraints(method.GetGenericParameters());
        AddAttributes(method.GetCustomAttributes());
        if (method.RelativeVirtualAddress == 0)
            return;
        var body = assembly.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil)
            metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(this, default);
        foreach (var region in body.ExceptionRegions)
            Add(region.CatchType);
        AddInstructions(body.GetILReader());
    }

    private void AddInstructions(BlobReader code)
    {
        while (code.RemainingBytes > 0)
        {
            int value = code.ReadByte();
            if (value == 0xFE)
                value = 0xFE00 | code.ReadByte();
            switch (OpCodesByValue[value].OperandType)
            {
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    code.ReadByte();
                    break;
                case OperandType.InlineVar:
                    code.ReadInt16();
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    code.ReadInt64();
                    break;
                case OperandType.InlineSwitch:
                    var targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                case OperandType.InlineField
                or OperandType.InlineMethod
                or OperandType.InlineType
                or OperandType.InlineTok:
                    Add(MetadataTokens.EntityHandle(code.ReadInt32()));
                    break;
                default:
                    code.ReadInt32();
                    break;
            }
        }
    }

    private void AddConstraints(GenericParameterHandleCollection parameters)
    {
        foreach (var constraint in parameters.SelectMany(p => metadata.GetGenericParameter(p).GetConstraints()))
            Add(metadata.GetGenericParameterConstraint(constraint).Type);
    }

    private void AddAttributes(CustomAttributeHandleCollection attributes)
    {
        foreach (var attribute in attributes)
            Add(metadata.GetCustomAttribute(attribute).Constructor);
    }

    private void Add(EntityHandle handle)
    {
        if (handle.IsNil)
            return;
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                _found.Add((TypeDefinitionHandle)handle);
                break;
            case HandleKind.TypeSpecification:
                metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, default);
                break;
            case HandleKind.MethodDefinition:
                _found.Add(metadata.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.FieldDefinition:
                _found.Add(metadata.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.MemberReference:
                Add(metadata.GetMemberReference((MemberReferenceHandle)handle).Parent);
                break;
            case HandleKind.MethodSpecification:
                var method = metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                method.DecodeSignature(this, default);
                Add(method.Method);
                break;
        }
    }

    Nothing ISignatureTypeProvider<Nothing, Nothing>.GetTypeFromSpecification(
        MetadataReader reader,
        Nothing context,
        TypeSpecificationHandle handle,
        byte rawTypeKind
    )
    {
        Add(handle);
        return default;
    }

    Nothing ISimpleTypeProvider<Nothing>.GetTypeFromDefinition(
        MetadataReader reader,
        TypeDefinitionHandle handle,
        byte rawTypeKind
    )
    {
        _found.Add(handle);
        return default;
    }

    Nothing ISimpleTypeProvider<Nothing>.GetTypeFromReference(
        MetadataReader reader,
        TypeReferenceHandle handle,
        byte rawTypeKind
    ) => default;

    Nothing ISimpleTypeProvider<Nothing>.GetPrimitiveType(PrimitiveTypeCode typeCode) => default;

    Nothing ISignatureTypeProvider<Nothing, Nothing>.GetFunctionPointerType(MethodSignature<Nothing> signature) =>
        default;

    Nothing ISignatureTypeProvider<Nothing, Nothing>.GetGenericMethodParameter(Nothing context, int index) => default;

    Nothing ISignatureTypeProvider<Nothing, Nothing>.GetGenericTypeParameter(Nothing context, int index) => default;

    Nothing ISignatureTypeProvider<Nothing, Nothing>.GetModifiedType(
        Nothing modifier,
        Nothing unmodified,
        bool isRequired
    ) => default;

    Nothing ISignatureTypeProvider<Nothing, Nothing>.GetPinnedType(Nothing element) => default;

    Nothing IConstructedTypeProvider<Nothing>.GetArrayType(Nothing element, ArrayShape shape) => default;

    Nothing IConstructedTypeProvider<Nothing>.GetByReferenceType(Nothing element) => default;

    Nothing IConstructedTypeProvider<Nothing>.GetGenericInstantiation(
        Nothing generic,
        ImmutableArray<Nothing> arguments
    ) => default;

    Nothing IConstructedTypeProvider<Nothing>.GetPointerType(Nothing element) => default;

    Nothing ISZArrayTypeProvider<Nothing>.GetSZArrayType(Nothing element) => default;

    /// <summary>What is found is collected on the way; the decoder's results carry nothing.</summary>
    internal readonly struct Nothing;
}
