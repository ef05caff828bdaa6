using System.Reflection;
using Xunit.Sdk;

namespace DeltaKV.Testing;

/// <summary>Runs a theory on every device of this run: the first parameter is the <see cref="TestDevice"/>, the others are given here.</summary>
/// <example><c>[Theory, AcceleratorData(1, 64), AcceleratorData(1000, 64)] void Copies(TestDevice device, int length, int group)</c></example>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class AcceleratorDataAttribute(params object?[] values) : DataAttribute
{
    /// <summary>The values after the device.</summary>
    public IReadOnlyList<object?> Values => values;

    /// <inheritdoc/>
    public override IEnumerable<object?[]> GetData(MethodInfo testMethod) =>
        TestAccelerators.Devices.Select(device => (object?[])[device, .. values]);
}
