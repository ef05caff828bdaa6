using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using DeltaKV.Tokenization.Templates.Expressions;

namespace DeltaKV.Tokenization.Templates;

/// <summary>Recursive descent over Jinja's expression grammar, one method for each level of precedence.</summary>
internal sealed class ExpressionParser(TokenStream tokens)
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

    private Expression ParsePrimary()
    {
        var token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                tokens.Next();
                return FromName(token.Text);
            case TokenKind.String:
                return ParseString();
            case TokenKind.Integer:
                tokens.Next();
                return new Constant(ToInteger(token.Text));
            case TokenKind.Float:
                tokens.Next();
                return new Constant(double.Parse(token.Text.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture));
            case TokenKind.Operator when token.Text == "(":
                return ParseParenthesised();
            case TokenKind.Operator when token.Text == "[":
                tokens.Next();
                return new ListLiteral(ParseUntil("]", ParseExpression));
            case TokenKind.Operator when token.Text == "{":
                tokens.Next();
                return new MapLiteral(ParseUntil("}", ParseEntry));
            default:
                throw tokens.Unexpected("an expression");
        }
    }

    private static Expression FromName(string name) => name switch
    {
        "true" or "True" => new Constant(true),
        "false" or "False" => new Constant(false),
        "none" or "None" => new Constant(null),
        _ => new Variable(name),
    };

    private static object ToInteger(string text)
    {
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        return long.TryParse(digits, CultureInfo.InvariantCulture, out var number) ? (object)number : BigInteger.Parse(digits, CultureInfo.InvariantCulture);
    }

    /// <summary>Strings side by side are one string.</summary>
    private Constant ParseString()
    {
        var text = new StringBuilder();
        while (tokens.Current.Kind == TokenKind.String)
            text.Append(tokens.Next().Text);
        return new Constant(text.ToString());
    }

    private Expression ParseParenthesised()
    {
        tokens.ExpectOperator("(");
        if (tokens.SkipOperator(")"))
            return new TupleLiteral([]);
        var value = ParseTuple();
        tokens.ExpectOperator(")");
        return value;
    }

    private (Expression Key, Expression Value) ParseEntry()
    {
        var key = ParseExpression();
        tokens.ExpectOperator(":");
        return (key, ParseExpression());
    }

    private List<T> ParseUntil<T>(string close, Func<T> parseItem)
    {
        var items = new List<T>();
        while (!tokens.SkipOperator(close))
        {
            if (items.Count > 0)
                tokens.ExpectOperator(",");
            if (tokens.SkipOperator(close))
                break;
            items.Add(parseItem());
        }

        return items;
    }

    private Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            if (tokens.SkipOperator("."))
                value = ParseMember(value);
            else if (tokens.SkipOperator("["))
                value = ParseSubscript(value);
            else if (tokens.IsOperator("("))
                value = new Call(value, ParseArguments());
            else
                return value;
        }
    }

    private Expression ParseMember(Expression target) => tokens.Current.Kind == TokenKind.Integer
        ? new ItemAccess(target, new Constant(ToInteger(tokens.Next().Text)))
        : new AttributeAccess(target, tokens.Expect(TokenKind.Name, "a name after '.'").Text);

    private Expression ParseSubscript(Expression target)
    {
        var bounds = new Expression?[3];
        var position = 0;
        while (!tokens.SkipOperator("]"))
        {
            if (tokens.SkipOperator(":"))
                position++;
            else if (position < 3 && bounds[position] is null)
                bounds[position] = ParseExpression();
            else
                throw tokens.Unexpected("']'");
        }

        return position switch
        {
            0 => new ItemAccess(target, bounds[0] ?? throw tokens.Unexpected("an index")),
            < 3 => new SliceAccess(target, bounds[0], bounds[1], bounds[2]),
            _ => throw tokens.Error("a slice has more than three parts."),
        };
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

    private ArgumentList ParseArguments()
    {
        tokens.ExpectOperator("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        foreach (var (name, value) in ParseUntil(")", ParseArgument))
        {
            if (name is not null)
                named.Add((name, value));
            else if (named.Count == 0)
                positional.Add(value);
            else
                throw tokens.Error("a positional argument stands after a named one.");
        }

        return new ArgumentList(positional, named);
    }

    private (string? Name, Expression Value) ParseArgument()
    {
        if (tokens.IsOperator("*") || tokens.IsOperator("**"))
            throw tokens.Error($"arguments unpacked with '{tokens.Current.Text}' are not supported.");
        if (tokens.Current.Kind != TokenKind.Name || !tokens.Following.Is(TokenKind.Operator, "="))
            return (null, ParseExpression());
        var name = tokens.Next().Text;
        tokens.ExpectOperator("=");
        return (name, ParseExpression());
    }
}
