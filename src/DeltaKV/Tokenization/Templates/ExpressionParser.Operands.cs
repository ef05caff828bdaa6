using System.Globalization;
using System.Numerics;
using System.Text;
using DeltaKV.Tokenization.Templates.Expressions;

namespace DeltaKV.Tokenization.Templates;

/// <summary>Literals, names, and what follows them: members, subscripts and calls.</summary>
internal sealed partial class ExpressionParser
{
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
