using System.Reflection;
using Xunit.Sdk;

namespace DeltaKV.Testing;

/// <summary>Runs a theory on every device of this run and every row of a static member of the test class (<c>IEnumerable&lt;object?[]&gt;</c>).</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class AcceleratorMemberDataAttribute(string member) : DataAttribute
{
    /// <summary>The name of the property or method that gives the rows.</summary>
    public string Member => member;

    /// <inheritdoc/>
    public override IEnumerable<object?[]> GetData(MethodInfo testMethod)
    {
        ArgumentNullException.ThrowIfNull(testMethod);
        const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.FlattenHierarchy;
        var type = testMethod.DeclaringType!;
        var rows = (type.GetProperty(member, Static)?.GetValue(null) ?? type.GetMethod(member, Static)?.Invoke(null, null)) as IEnumerable<object?[]>
            ?? throw new ArgumentException($"{type}.{member} is not a static property or method of rows (IEnumerable<object?[]>).");
        return from row in rows.ToList() from device in TestAccelerators.Devices select (object?[])[device, .. row];
    }
}
