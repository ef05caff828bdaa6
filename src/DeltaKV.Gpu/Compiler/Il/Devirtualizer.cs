using System.Reflection;

namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>Finds the method a <c>constrained.</c> call runs for a concrete struct.</summary>
internal static class Devirtualizer
{
    public static MethodBase Resolve(MethodBase called, Type constraint)
    {
        if (called is not MethodInfo method || method.DeclaringType == constraint)
            return called;
        if (method.DeclaringType is not { IsInterface: true } contract)
            return ResolveObjectMember(method, constraint);
        var definition = method.IsGenericMethod ? method.GetGenericMethodDefinition() : method;
        var map = constraint.GetInterfaceMap(contract);
        for (var i = 0; i < map.InterfaceMethods.Length; i++)
        {
            if (map.InterfaceMethods[i].MetadataToken != definition.MetadataToken || map.InterfaceMethods[i].Module != definition.Module)
                continue;
            var target = map.TargetMethods[i];
            return method.IsGenericMethod ? target.MakeGenericMethod(method.GetGenericArguments()) : target;
        }

        throw new NotSupportedException($"{constraint.Name} has no implementation of {contract.Name}.{method.Name}.");
    }

    private static MethodInfo ResolveObjectMember(MethodInfo method, Type constraint)
    {
        var types = Array.ConvertAll(method.GetParameters(), static parameter => parameter.ParameterType);
        var found = constraint.GetMethod(method.Name, BindingFlags.Instance | BindingFlags.Public, types);
        return found is not null && found.DeclaringType == constraint
            ? found
            : throw new NotSupportedException($"{constraint.Name}.{method.Name} is inherited from {method.DeclaringType!.Name}, a class; kernels have no objects.");
    }
}
