using System.Reflection;
using System.Runtime.CompilerServices;

namespace DeltaKV.Testing.PublicApi;

/// <summary>The declaration of a type.</summary>
internal static class TypeLine
{
    internal static string Of(Type type)
    {
        var name = TypeName.Full(type);
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            var invoke = type.GetMethod("Invoke")!;
            return $"{name}: delegate {TypeName.Of(invoke.ReturnType)}({MemberLine.Parameters(invoke.GetParameters())})";
        }

        var bases = Bases(type).Select(TypeName.Of).Order(StringComparer.Ordinal).ToList();
        return $"{name}: {Kind(type)}{(bases.Count == 0 ? "" : " : " + string.Join(", ", bases))}{TypeName.Constraints(type.GetGenericArguments())}";
    }

    private static string Kind(Type type)
    {
        if (type.IsEnum)
            return "enum";
        if (type.IsInterface)
            return "interface";
        if (type.IsValueType)
        {
            var prefix = (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "") + (type.IsByRefLike ? "ref " : "");
            return prefix + (HasPrinter(type) ? "record struct" : "struct");
        }

        var modifier = type is { IsAbstract: true, IsSealed: true } ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "";
        return modifier + (type.GetMethod("<Clone>$") is null ? "class" : "record");
    }

    private static bool HasPrinter(Type type) => type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null;

    private static IEnumerable<Type> Bases(Type type)
    {
        var inherited = type.BaseType?.GetInterfaces() ?? [];
        var own = type.GetInterfaces().Where(candidate => (candidate.IsPublic || candidate.IsNestedPublic) && !inherited.Contains(candidate));
        return type is { IsClass: true, BaseType: { } parent } && parent != typeof(object) ? own.Prepend(parent) : type.IsEnum ? [] : own;
    }
}
