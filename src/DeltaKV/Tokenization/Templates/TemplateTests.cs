using System.Numerics;
using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates;

internal delegate bool TemplateTest(object? value, CallArguments arguments);

/// <summary>The tests, <c>value is name</c>.</summary>
internal static class TemplateTests
{
    internal static IReadOnlyDictionary<string, TemplateTest> All { get; } = Build();

    private static Dictionary<string, TemplateTest> Build()
    {
        var tests = new Dictionary<string, TemplateTest>
        {
            ["in"] = (value, arguments) => PythonValue.Contains(arguments.Bind("seq")[0], value),
            ["divisibleby"] = (value, arguments) => PythonValue.AreEqual(PythonArithmetic.Apply("%", value, arguments.Bind("num")[0]), 0L),
            ["sameas"] = (value, arguments) => IsSame(value, arguments.Bind("other")[0]),
        };
        foreach (var (name, holds) in Plain)
            tests[name] = (value, arguments) => arguments.Bind() is [] && holds(value);
        foreach (var (names, operation) in Comparisons)
        {
            foreach (var name in names)
                tests[name] = (value, arguments) => PythonValue.Compare(operation, value, arguments.Bind("other")[0]);
        }

        return tests;
    }

    private static (string Name, Func<object?, bool> Holds)[] Plain =>
    [
        ("defined", value => value is not Undefined),
        ("undefined", value => value is Undefined),
        ("none", value => value is null),
        ("true", value => value is true),
        ("false", value => value is false),
        ("boolean", value => value is bool),
        ("string", value => value is string),
        ("mapping", value => value is TemplateMap),
        ("iterable", value => value is string or TemplateMap or List<object?> or object?[] or Undefined),
        ("sequence", value => value is string or TemplateMap or List<object?> or object?[] or Undefined),
        ("number", value => value is bool or long or double or BigInteger),
        ("integer", value => value is long or BigInteger),
        ("float", value => value is double),
        ("callable", value => value is TemplateFunction),
        ("odd", value => PythonValue.AreEqual(PythonArithmetic.Apply("%", value, 2L), 1L)),
        ("even", value => PythonValue.AreEqual(PythonArithmetic.Apply("%", value, 2L), 0L)),
        ("lower", value => PythonText.ToText(value) is var text && text.Any(char.IsLower) && !text.Any(char.IsUpper)),
        ("upper", value => PythonText.ToText(value) is var text && text.Any(char.IsUpper) && !text.Any(char.IsLower)),
    ];

    private static (string[] Names, string Operation)[] Comparisons =>
    [
        (["eq", "equalto", "=="], "=="),
        (["ne", "!="], "!="),
        (["lt", "lessthan", "<"], "<"),
        (["le", "<="], "<="),
        (["gt", "greaterthan", ">"], ">"),
        (["ge", ">="], ">="),
    ];

    private static bool IsSame(object? value, object? other) =>
        ReferenceEquals(value, other) || (value is bool or long or string && value.Equals(other));
}
