using System.Runtime.CompilerServices;
using DeltaKV.Tokenization.Templates.Expressions;

namespace DeltaKV.Tokenization.Templates;

/// <summary>Recursive descent over Jinja's expression grammar, one method for each level of precedence.</summary>
internal sealed partial class ExpressionParser(TokenStream tokens)
{
    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    /// <summary>An expression, or several with commas between them as a tuple.</summary>
    internal Expression ParseTuple(bool allowConditional = true)
    {
        var first = ParseItem(allowConditional);
        if (!tokens.IsOperator(","))
            return first;
        var items = new List<Expression> { first };
        while (tokens.SkipOperator(",") && !IsAtTupleEnd())
            items.Add(ParseItem(allowConditional));
        return new TupleLiteral(items);
    }

    internal Expression ParseExpression()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw tokens.Error("an expression is nested too deeply.");
        var value = ParseOr();
        while (tokens.SkipName("if"))
        {
            var condition = ParseOr();
            value = new Conditional(condition, value, tokens.SkipName("else") ? ParseExpression() : null);
        }

        return value;
    }

    /// <summary>The filters of <c>{% set name | filter %}</c> and <c>{% filter name %}</c>, to be put on a value.</summary>
    internal Func<Expression, Expression> ParseFilters(bool startsWithPipe)
    {
        var filters = new List<Func<Expression, Expression>>();
        if (!startsWithPipe)
            filters.Add(ParseFilter());
        while (tokens.SkipOperator("|"))
            filters.Add(ParseFilter());
        return value => filters.Aggregate(value, (current, filter) => filter(current));
    }

    private Expression ParseItem(bool allowConditional) => allowConditional ? ParseExpression() : ParseOr();

    private bool IsAtTupleEnd() =>
        tokens.Current.Kind is TokenKind.OutputEnd or TokenKind.BlockEnd || tokens.IsOperator(")") || tokens.IsOperator("=") || tokens.IsName("in");

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (tokens.SkipName("or"))
            left = new ShortCircuit(left, ParseAnd(), stopsAt: true);
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (tokens.SkipName("and"))
            left = new ShortCircuit(left, ParseNot(), stopsAt: false);
        return left;
    }

    private Expression ParseNot()
    {
        var negations = 0;
        while (tokens.SkipName("not"))
            negations++;
        var operand = ParseComparison();
        for (; negations > 0; negations--)
            operand = new Not(operand);
        return operand;
    }

    private Expression ParseComparison()
    {
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current.Kind == TokenKind.Operator && Comparisons.Contains(tokens.Current.Text))
                rest.Add((tokens.Next().Text, ParseSum()));
            else if (tokens.SkipName("in"))
                rest.Add(("in", ParseSum()));
            else if (tokens.IsName("not") && tokens.Following.Is(TokenKind.Name, "in"))
                rest.Add((SkipNotIn(), ParseSum()));
            else
                return rest.Count == 0 ? first : new Comparison(first, rest);
        }
    }

    private string SkipNotIn()
    {
        tokens.Next();
        tokens.Next();
        return "not in";
    }

    private Expression ParseSum() => ParseBinary(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation()
    {
        var first = ParseProduct();
        if (!tokens.IsOperator("~"))
            return first;
        var parts = new List<Expression> { first };
        while (tokens.SkipOperator("~"))
            parts.Add(ParseProduct());
        return new Concatenation(parts);
    }

    private Expression ParseProduct() => ParseBinary(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => ParseBinary(() => ParseUnary(withFilters: true), "**");

    private Expression ParseBinary(Func<Expression> parseOperand, params string[] operators)
    {
        var left = parseOperand();
        while (tokens.Current.Kind == TokenKind.Operator && operators.Contains(tokens.Current.Text))
            left = new Arithmetic(tokens.Next().Text, left, parseOperand());
        return left;
    }

    private Expression ParseUnary(bool withFilters)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw tokens.Error("an expression is nested too deeply.");
        var value = tokens.IsOperator("-") || tokens.IsOperator("+")
            ? new Signed(tokens.Next().Text, ParseUnary(withFilters: false))
            : ParsePrimary();
        value = ParsePostfix(value);
        return withFilters ? ParseFiltersAndTests(value) : value;
    }

    private Expression ParseFiltersAndTests(Expression value)
    {
        while (true)
        {
            if (tokens.SkipOperator("|"))
                value = ParseFilter()(value);
            else if (tokens.SkipName("is"))
                value = ParseTest(value);
            else if (tokens.IsOperator("("))
                value = new Call(value, ParseArguments());
            else
                return value;
        }
    }

    private Func<Expression, Expression> ParseFilter()
    {
        var name = tokens.Expect(TokenKind.Name, "the name of a filter");
        if (!TemplateFilters.All.TryGetValue(name.Text, out var filter))
            throw new ChatTemplateException($"the filter '{name.Text}' is not supported.", name.Line);
        var arguments = tokens.IsOperator("(") ? ParseArguments() : ArgumentList.Empty;
        return value => new FilterCall(name.Text, filter, value, arguments);
    }

    private Expression ParseTest(Expression value)
    {
        var isNegated = tokens.SkipName("not");
        var name = tokens.Expect(TokenKind.Name, "the name of a test");
        if (!TemplateTests.All.TryGetValue(name.Text, out var test))
            throw new ChatTemplateException($"the test '{name.Text}' is not supported.", name.Line);
        Expression result = new TestCall(name.Text, test, value, ParseTestArguments());
        return isNegated ? new Not(result) : result;
    }

    /// <summary>In parentheses, or a single operand without them: <c>x is divisibleby 3</c>.</summary>
    private ArgumentList ParseTestArguments()
    {
        if (tokens.IsOperator("("))
            return ParseArguments();
        if (tokens.IsName("is"))
            throw tokens.Error("tests cannot be chained with 'is'.");
        var current = tokens.Current;
        // Jinja takes any other name for an operand, 'if' and 'not' too.
        var startsOperand = current.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float
            || (current.Kind == TokenKind.Name && current.Text is not ("else" or "or" or "and"))
            || tokens.IsOperator("[") || tokens.IsOperator("{");
        return startsOperand ? new ArgumentList([ParsePostfix(ParsePrimary())], []) : ArgumentList.Empty;
    }
}
