using System.Globalization;
using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Reads a module: directives, declarations, entries and their instructions.</summary>
internal sealed partial class PtxParser
{
    private readonly string[] lines;
    private readonly List<Token> tokens;
    private readonly PtxScope moduleScope = new(null);
    private readonly Dictionary<int, string> files = [];
    private readonly List<(string Name, int Size, int Alignment, bool Dynamic)> moduleShared = [];
    private readonly List<(nint Address, int Size)> globals = [];
    private int position;

    private PtxParser(string source)
    {
        lines = source.Split('\n');
        tokens = PtxLexer.Tokenize(source);
    }

    private Token Current => tokens[position];

    private Token Next => tokens[Math.Min(position + 1, tokens.Count - 1)];

    /// <summary>Kernels in the text; storage for global variables is handed to <paramref name="variables"/>.</summary>
    public static List<PtxKernel> Parse(string source, ICollection<nint> variables)
    {
        var parser = new PtxParser(source);
        var kernels = new List<PtxKernel>();
        while (parser.Current.Kind != TokenKind.End)
        {
            if (parser.ParseModuleStatement(variables) is { } kernel)
                kernels.Add(kernel);
        }

        return kernels;
    }

    private PtxKernel? ParseModuleStatement(ICollection<nint> variables)
    {
        var word = ExpectWord();
        switch (word)
        {
            case ".version" or ".target" or ".address_size":
                SkipLine();
                return null;
            case ".file":
                ParseFile();
                return null;
            case ".section":
                SkipSection();
                return null;
            case ".visible" or ".extern" or ".weak":
                return null;
            case ".entry":
                return ParseEntry();
            case ".shared":
                foreach (var variable in ParseVariable())
                {
                    moduleShared.Add((variable.Name, variable.Size, variable.Alignment, variable.Dynamic));
                }

                return null;
            case ".global" or ".const":
                foreach (var variable in ParseVariable())
                    DeclareGlobal(word, variable, variables);
                return null;
            case ".pragma":
                SkipPast(';');
                return null;
            default:
                throw Error("unsupported directive");
        }
    }

    private unsafe void DeclareGlobal(string word, Variable variable, ICollection<nint> variables)
    {
        var size = Math.Max(variable.Size, variable.Data.Count);
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)size, 64);
        new Span<byte>(memory, size).Clear();
        CollectionsMarshal.AsSpan(variable.Data).CopyTo(new Span<byte>(memory, size));
        variables.Add((nint)memory);
        globals.Add(((nint)memory, size));
        moduleScope.Declare(new PtxSymbol(variable.Name, word == ".const" ? StateSpace.Const : StateSpace.Global, (long)memory));
    }

    private PtxKernel ParseEntry()
    {
        var kernel = new PtxKernel(ExpectWord(), files) { Variables = globals };
        var scope = new PtxScope(moduleScope);
        foreach (var (name, size, alignment, dynamic) in moduleShared)
            DeclareShared(kernel, scope, name, size, alignment, dynamic);
        if (Accept('('))
        {
            while (!Accept(')'))
            {
                ParseParameter(kernel, scope);
                Accept(',');
            }
        }

        while (!Current.Is('{'))
            position++; // .maxntid and its like bound the launch, which does not matter here
        position++;
        new BodyParser(this, kernel, scope).Parse();
        foreach (var symbol in dynamicSymbols)
            symbol.Value = kernel.DynamicSharedOffset = AlignUp(kernel.StaticSharedBytes, 128);
        if (dynamicSymbols.Count == 0)
            kernel.DynamicSharedOffset = AlignUp(kernel.StaticSharedBytes, 128);
        dynamicSymbols.Clear();
        return kernel;
    }

    private readonly List<PtxSymbol> dynamicSymbols = [];

    private void DeclareShared(PtxKernel kernel, PtxScope scope, string name, int size, int alignment, bool dynamic)
    {
        if (dynamic)
        {
            var symbol = new PtxSymbol(name, StateSpace.Shared, 0);
            dynamicSymbols.Add(symbol);
            scope.Declare(symbol);
            return;
        }

        var offset = AlignUp(kernel.StaticSharedBytes, alignment);
        kernel.StaticSharedBytes = offset + size;
        scope.Declare(new PtxSymbol(name, StateSpace.Shared, offset));
    }

    private void ParseParameter(PtxKernel kernel, PtxScope scope)
    {
        if (ExpectWord() != ".param")
            throw Error("expected a .param declaration");
        var alignment = 0;
        var type = PtxType.None;
        while (Current.Kind == TokenKind.Word && Current.Text[0] == '.')
        {
            var word = ExpectWord();
            if (word == ".align")
            {
                var value = (int)ExpectInteger();
                alignment = type == PtxType.None ? value : alignment; // after .ptr it describes the pointee
            }
            else if (PtxTypes.TryParse(word[1..], out var parsed))
            {
                type = parsed;
            }
        }

        var name = ExpectWord();
        var size = type.Size();
        if (Accept('['))
        {
            size *= (int)ExpectInteger();
            Expect(']');
        }

        if (alignment == 0)
            alignment = type.Size();
        var offset = AlignUp(kernel.ParameterBytes, alignment);
        kernel.Parameters.Add(new PtxParameter(name, size, alignment, offset));
        scope.Declare(new PtxSymbol(name, StateSpace.Param, offset));
    }

    private sealed record Variable(string Name, int Size, int Alignment, bool Dynamic, List<byte> Data);

    /// <summary>Reads what follows the state space of a variable, up to and including the semicolon.</summary>
    private List<Variable> ParseVariable()
    {
        var variables = new List<Variable>();
        var alignment = 0;
        var type = PtxType.None;
        var vector = 1;
        while (Current.Kind == TokenKind.Word && Current.Text[0] == '.')
        {
            var word = ExpectWord();
            if (word == ".align")
                alignment = (int)ExpectInteger();
            else if (word is ".v2" or ".v4")
                vector = word[2] - '0';
            else if (!PtxTypes.TryParse(word[1..], out type))
                throw Error("unknown type in a declaration");
        }

        do
        {
            var name = ExpectWord();
            var size = type.Size() * vector;
            var dynamic = false;
            while (Accept('['))
            {
                if (Accept(']'))
                {
                    dynamic = true;
                    continue;
                }

                size *= (int)ExpectInteger();
                Expect(']');
            }

            var data = new List<byte>();
            if (Accept('='))
                ParseInitializer(type, data);
            variables.Add(new Variable(name, size, Math.Max(alignment, type.Size() * vector), dynamic, data));
        }
        while (Accept(','));
        Expect(';');
        return variables;
    }

    private void ParseInitializer(PtxType type, List<byte> data)
    {
        if (Accept('{'))
        {
            while (!Accept('}'))
            {
                ParseInitializer(type, data);
                Accept(',');
            }

            return;
        }

        var bits = type switch
        {
            PtxType.F32 => BitConverter.SingleToInt32Bits((float)ExpectFloating()),
            PtxType.F64 => BitConverter.DoubleToInt64Bits(ExpectFloating()),
            _ => ExpectInteger(),
        };
        for (var i = 0; i < type.Size(); i++)
            data.Add((byte)(bits >> (8 * i)));
    }

    private double ExpectFloating()
    {
        var operand = ParseNumber();
        return operand.Kind switch
        {
            OperandKind.Float32 => BitConverter.Int32BitsToSingle((int)operand.Bits),
            OperandKind.Float64 => BitConverter.Int64BitsToDouble(operand.Bits),
            _ => operand.Bits,
        };
    }

    private void ParseFile()
    {
        var line = Current.Line;
        var index = (int)ExpectInteger();
        if (Current.Kind == TokenKind.Text)
            files[index] = Current.Text.Replace("\\\\", "\\", StringComparison.Ordinal);
        while (Current.Line == line && Current.Kind != TokenKind.End)
            position++;
    }

    private void SkipLine()
    {
        var line = tokens[position - 1].Line;
        while (Current.Line == line && Current.Kind != TokenKind.End)
            position++;
    }

    private void SkipSection()
    {
        while (!Current.Is('{') && Current.Kind != TokenKind.End)
            position++;
        SkipPast('}');
    }

    private void SkipPast(char punctuation)
    {
        while (!Current.Is(punctuation) && Current.Kind != TokenKind.End)
            position++;
        Expect(punctuation);
    }

    private bool Accept(char punctuation)
    {
        if (!Current.Is(punctuation))
            return false;
        position++;
        return true;
    }

    private void Expect(char punctuation)
    {
        if (!Accept(punctuation))
            throw Error($"expected '{punctuation}' but found '{Current.Text}'");
    }

    private string ExpectWord()
    {
        if (Current.Kind != TokenKind.Word)
            throw Error($"expected a name but found '{Current.Text}'");
        return tokens[position++].Text;
    }

    private long ExpectInteger()
    {
        var operand = ParseNumber();
        return operand.Kind == OperandKind.Immediate ? operand.Bits : throw Error("expected an integer");
    }

    /// <summary>Reads an optionally negated number in any of PTX's notations.</summary>
    private PtxOperand ParseNumber()
    {
        var negative = Accept('-');
        if (Current.Kind != TokenKind.Number)
            throw Error($"expected a number but found '{Current.Text}'");
        var text = tokens[position++].Text;
        if (text.Length == 10 && text[1] is 'f' or 'F' && text[0] == '0')
        {
            var bits = uint.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return new PtxOperand(OperandKind.Float32) { Bits = negative ? bits ^ 0x8000_0000u : bits };
        }

        if (text.Length == 18 && text[1] is 'd' or 'D' && text[0] == '0')
        {
            var bits = ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return new PtxOperand(OperandKind.Float64) { Bits = (long)(negative ? bits ^ (1ul << 63) : bits) };
        }

        var digits = text.TrimEnd('U');
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            if (ulong.TryParse(digits.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var hex))
                return new PtxOperand(OperandKind.Immediate) { Bits = negative ? -(long)hex : (long)hex };
        }
        else if (ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var integer))
        {
            return new PtxOperand(OperandKind.Immediate) { Bits = negative ? -(long)integer : (long)integer };
        }
        else if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real))
        {
            return new PtxOperand(OperandKind.Float64) { Bits = BitConverter.DoubleToInt64Bits(negative ? -real : real) };
        }

        throw Error($"malformed number '{text}'");
    }

    private PtxParseException Error(string reason) => ErrorAt(tokens[Math.Max(0, position - 1)].Line, reason);

    private PtxParseException ErrorAt(int line, string reason) => new(line, TextOf(line), reason);

    private string TextOf(int line) => lines[line - 1].Trim();

    private static int AlignUp(int value, int alignment) => (value + alignment - 1) / alignment * alignment;
}
