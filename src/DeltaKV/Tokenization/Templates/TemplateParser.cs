using System.Runtime.CompilerServices;
using DeltaKV.Tokenization.Templates.Expressions;
using DeltaKV.Tokenization.Templates.Statements;

namespace DeltaKV.Tokenization.Templates;

/// <summary>From tokens to statements. A tag it does not know is refused by name.</summary>
internal sealed class TemplateParser
{
    private readonly TokenStream tokens;
    private readonly ExpressionParser expressions;
    private int loopDepth;

    private TemplateParser(string template)
    {
        tokens = new TokenStream(TemplateLexer.Tokenize(template));
        expressions = new ExpressionParser(tokens);
    }

    internal static Block Parse(string template) => new TemplateParser(template).ParseBlock("the template");

    /// <summary>Statements up to one of the closing tags, which is left to be read; up to the end when there are none.</summary>
    private Block ParseBlock(string of, params string[] closingTags)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw tokens.Error("blocks are nested too deeply.");
        var statements = new List<Statement>();
        while (true)
        {
            var token = tokens.Next();
            switch (token.Kind)
            {
                case TokenKind.End when closingTags.Length == 0:
                    return new Block(statements);
                case TokenKind.Text:
                    statements.Add(new TextStatement(token.Text, token.Line));
                    break;
                case TokenKind.OutputBegin:
                    statements.Add(new OutputStatement(expressions.ParseTuple(), token.Line));
                    tokens.Expect(TokenKind.OutputEnd, "'}}'");
                    break;
                case TokenKind.BlockBegin when tokens.Current.Kind == TokenKind.Name && closingTags.Contains(tokens.Current.Text):
                    return new Block(statements);
                case TokenKind.BlockBegin:
                    statements.Add(ParseTag(tokens.Expect(TokenKind.Name, "the name of a tag")));
                    break;
                default:
                    throw new ChatTemplateException($"{of} is not closed; expected {string.Join(" or ", closingTags.Select(tag => $"'{tag}'"))}.", token.Line);
            }
        }
    }

    private Statement ParseTag(TemplateToken tag)
    {
        switch (tag.Text)
        {
            case "if": return ParseIf(tag.Line);
            case "for": return ParseFor(tag.Line);
            case "set": return ParseSet(tag.Line);
            case "macro": return ParseMacro(tag.Line);
            case "filter": return ParseFilter(tag.Line);
            case "generation": return new GenerationStatement(ParseBody("generation", "endgeneration"), tag.Line);
            case "break" or "continue" when loopDepth > 0:
                EndTag();
                return new LoopExit(tag.Text == "break" ? Flow.Break : Flow.Continue, tag.Line);
            default: throw new ChatTemplateException($"the tag '{tag.Text}' is not supported here.", tag.Line);
        }
    }

    private IfStatement ParseIf(int line)
    {
        var branches = new List<(Expression, Block)>();
        var otherwise = Block.Empty;
        string tag;
        do
        {
            var condition = expressions.ParseTuple(allowConditional: false);
            EndTag();
            branches.Add((condition, ParseBlock("'if'", "elif", "else", "endif")));
            tag = tokens.Next().Text;
        }
        while (tag == "elif");

        if (tag == "else")
            otherwise = ParseBody("else", "endif");
        else
            EndTag();
        return new IfStatement(branches, otherwise, line);
    }

    private ForStatement ParseFor(int line)
    {
        var target = ParseTarget(allowNamespace: false);
        if (!tokens.SkipName("in"))
            throw tokens.Unexpected("'in'");
        var items = expressions.ParseTuple(allowConditional: false);
        var filter = tokens.SkipName("if") ? expressions.ParseExpression() : null;
        if (tokens.IsName("recursive"))
            throw tokens.Error("a recursive 'for' is not supported.");
        EndTag();

        loopDepth++;
        var body = ParseBlock("'for'", "else", "endfor");
        loopDepth--;
        var otherwise = Block.Empty;
        if (tokens.Next().Text == "else")
            otherwise = ParseBody("else", "endfor");
        else
            EndTag();
        return new ForStatement(target, items, filter, body, otherwise, line);
    }

    private Statement ParseSet(int line)
    {
        var target = ParseTarget(allowNamespace: true);
        if (tokens.SkipOperator("="))
        {
            var value = expressions.ParseTuple();
            EndTag();
            return new SetStatement(target, value, line);
        }

        var filters = expressions.ParseFilters(startsWithPipe: true);
        return new SetBlockStatement(target, filters, ParseBody("set", "endset"), line);
    }

    private FilterStatement ParseFilter(int line)
    {
        var filters = expressions.ParseFilters(startsWithPipe: false);
        return new FilterStatement(filters, ParseBody("filter", "endfilter"), line);
    }

    private MacroStatement ParseMacro(int line)
    {
        var name = tokens.Expect(TokenKind.Name, "the name of the macro").Text;
        var parameters = new List<(string, Expression?)>();
        tokens.ExpectOperator("(");
        while (!tokens.SkipOperator(")"))
        {
            if (parameters.Count > 0)
                tokens.ExpectOperator(",");
            var parameter = tokens.Expect(TokenKind.Name, "the name of a parameter").Text;
            parameters.Add((parameter, tokens.SkipOperator("=") ? expressions.ParseExpression() : null));
        }

        return new MacroStatement(name, parameters, ParseBody("macro", "endmacro"), line);
    }

    /// <summary>
    /// The rest of an opening tag, its body and its closing tag. A loop around it cannot be left from a body that is captured as text.
    /// </summary>
    private Block ParseBody(string tag, string closingTag)
    {
        EndTag();
        var outerDepth = loopDepth;
        if (tag is "macro" or "set" or "filter")
            loopDepth = 0;
        var body = ParseBlock($"'{tag}'", closingTag);
        loopDepth = outerDepth;
        tokens.Next();
        EndTag();
        return body;
    }

    private AssignmentTarget ParseTarget(bool allowNamespace)
    {
        var first = ParseSingleTarget(allowNamespace);
        if (!tokens.IsOperator(","))
            return first;
        var targets = new List<AssignmentTarget> { first };
        while (tokens.SkipOperator(","))
            targets.Add(ParseSingleTarget(allowNamespace));
        return new TupleTarget(targets);
    }

    private AssignmentTarget ParseSingleTarget(bool allowNamespace)
    {
        if (tokens.SkipOperator("("))
        {
            var inner = ParseTarget(allowNamespace: false);
            tokens.ExpectOperator(")");
            return inner;
        }

        var name = tokens.Expect(TokenKind.Name, "a name to assign to").Text;
        return allowNamespace && tokens.SkipOperator(".")
            ? new NamespaceTarget(name, tokens.Expect(TokenKind.Name, "a name after '.'").Text)
            : new NameTarget(name);
    }

    private void EndTag() => tokens.Expect(TokenKind.BlockEnd, "'%}'");
}
