using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace DeltaKV.Testing.PublicApi;

/// <summary>The declaration of a member.</summary>
internal static class MemberLine
{
    internal static string Of(MemberInfo member) => member switch
    {
        ConstructorInfo constructor => $"{Access(constructor)}new({Parameters(constructor.GetParameters())})",
        MethodInfo method => Method(method),
        PropertyInfo property => Property(property),
        EventInfo happening => $"{Modifiers(happening.AddMethod!)}event {happening.Name}: {TypeName.Of(happening.EventHandlerType!)}",
        FieldInfo field => Field(field),
        _ => throw new ArgumentException($"{member} is no member of an API.", nameof(member)),
    };

    internal static string Parameters(ParameterInfo[] parameters) => string.Join(", ", parameters.Select(Parameter));

    private static string Method(MethodInfo method)
    {
        var arguments = method.GetGenericArguments();
        var generic = arguments.Length == 0 ? "" : $"<{string.Join(", ", arguments.Select(argument => argument.Name))}>";
        return $"{Modifiers(method)}{method.Name}{generic}({Parameters(method.GetParameters())}): {TypeName.OfReturn(method.ReturnParameter)}{TypeName.Constraints(arguments)}";
    }

    private static string Property(PropertyInfo property)
    {
        var accessors = property.GetAccessors(nonPublic: true).Where(accessor => accessor.IsPublic || accessor.IsFamily || accessor.IsFamilyOrAssembly).ToList();
        var index = property.GetIndexParameters();
        var name = index.Length == 0 ? property.Name : $"this[{Parameters(index)}]";
        var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        return $"{Modifiers(accessors[0])}{required}{name}: {TypeName.OfReturn(property)} {{ {string.Join(" ", accessors.Select(Accessor))} }}";
    }

    private static string Accessor(MethodInfo accessor)
    {
        var isInit = accessor.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
        return $"{Access(accessor)}{(accessor.ReturnType != typeof(void) ? "get" : isInit ? "init" : "set")};";
    }

    private static string Field(FieldInfo field)
    {
        var modifier = field.IsLiteral ? "const " : (field.IsStatic ? "static " : "") + (field.IsInitOnly ? "readonly " : "");
        var value = field.IsLiteral ? $" = {Value(field.GetRawConstantValue())}" : "";
        return $"{modifier}{field.Name}: {TypeName.OfReturn(field)}{value}";
    }

    private static string Modifiers(MethodInfo method)
    {
        var isInterface = method.DeclaringType!.IsInterface;
        var dispatch = !method.IsVirtual || (isInterface && !method.IsStatic) ? ""
            : method.IsAbstract ? "abstract "
            : method.GetBaseDefinition() != method ? "override "
            : method.IsFinal ? ""
            : "virtual ";
        return Access(method) + (method.IsStatic ? "static " : "") + dispatch;
    }

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Parameter(ParameterInfo parameter)
    {
        var modifier = parameter.IsOut ? "out " : parameter.IsIn ? "in " : parameter.ParameterType.IsByRef ? "ref "
            : parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) ? "params "
            : parameter is { Position: 0, Member: MethodInfo method } && method.IsDefined(typeof(ExtensionAttribute)) ? "this "
            : "";
        var value = parameter.HasDefaultValue ? $" = {Value(parameter.DefaultValue)}" : "";
        return $"{modifier}{TypeName.OfParameter(parameter)} {parameter.Name}{value}";
    }

    private static string Value(object? value) => value switch
    {
        null => "default",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
