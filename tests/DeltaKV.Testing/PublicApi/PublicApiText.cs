using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace DeltaKV.Testing.PublicApi;

/// <summary>What an assembly shows to those who reference it, a sorted line per type and member.</summary>
public static class PublicApiText
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>The lines of an assembly.</summary>
    public static ImmutableArray<string> Of(Assembly assembly) =>
        [.. assembly.GetExportedTypes().SelectMany(type => Members(type).Prepend(TypeLine.Of(type))).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Members(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
            return [];
        if (type.IsEnum)
            return Enum.GetNames(type).Select(name => $"{TypeName.Full(type)}.{name} = {Convert.ToInt64(Enum.Parse(type, name), null)}");
        return type.GetMembers(Declared).Where(IsShown).Select(member => $"{TypeName.Full(type)}.{MemberLine.Of(member)}");
    }

    private static bool IsShown(MemberInfo member) => member switch
    {
        // What the compiler writes for records follows from the word record; accessors are shown with their property.
        MethodInfo method => IsVisible(method) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal))
            && !method.IsDefined(typeof(CompilerGeneratedAttribute)) && !IsObjectMethod(method),
        ConstructorInfo constructor => IsVisible(constructor) && !constructor.IsStatic && !constructor.IsDefined(typeof(CompilerGeneratedAttribute)),
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsVisible),
        EventInfo happening => happening.AddMethod is { } add && IsVisible(add),
        FieldInfo field => (field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly) && !field.IsSpecialName,
        _ => false,
    };

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsObjectMethod(MethodInfo method) => method.GetBaseDefinition().DeclaringType == typeof(object);
}
