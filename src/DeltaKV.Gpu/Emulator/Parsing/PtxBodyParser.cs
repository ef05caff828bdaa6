namespace DeltaKV.Gpu.Emulator;

internal sealed partial class PtxParser
{
    /// <summary>Reads the statements between the braces of one entry.</summary>
    private sealed class BodyParser(PtxParser parser, PtxKernel kernel, PtxScope kernelScope)
    {
        private PtxScope scope = kernelScope;
        private int location;

        public void Parse()
        {
            var depth = 1;
            while (depth > 0)
            {
                if (parser.Current.Kind == TokenKind.End)
                    throw parser.Error("the entry is not closed");
                if (parser.Accept('{'))
                {
                    scope = new PtxScope(scope);
                    depth++;
                }
                else if (parser.Accept('}'))
                {
                    scope = scope.Parent!;
                    depth--;
                }
                else
                {
                    ParseStatement();
                }
            }
        }

        private void ParseStatement()
        {
            if (parser.Accept(';'))
                return;
            if (parser.Current.Kind == TokenKind.Word && parser.Current.Text[0] == '.')
            {
                ParseDirective(parser.ExpectWord());
                return;
            }

            if (parser.Current.Kind == TokenKind.Word && parser.Next.Is(':'))
            {
                ParseLabel(parser.ExpectWord());
                return;
            }

            PtxOperand? guard = null;
            if (parser.Accept('@'))
            {
                var negated = parser.Accept('!');
                guard = new PtxOperand(OperandKind.Register) { Register = ExpectRegister(parser.ExpectWord()), Negated = negated };
            }

            ParseInstruction(guard);
        }

        private void ParseInstruction(PtxOperand? guard)
        {
            var line = parser.Current.Line;
            var opcode = parser.ExpectWord();
            var operands = new List<PtxOperand>(4);
            while (!parser.Accept(';'))
            {
                if (operands.Count > 0)
                    parser.Expect(',');
                operands.Add(ParseOperand());
            }

            kernel.Instructions.Add(new PtxInstruction(opcode, operands, guard, line, location, parser.TextOf(line)));
        }

        private void ParseLabel(string name)
        {
            parser.Expect(':');
            if (parser.Current.Text == ".branchtargets")
            {
                parser.position++;
                var targets = new List<PtxOperand>();
                do
                {
                    targets.Add(new PtxOperand(OperandKind.Label) { Name = parser.ExpectWord(), Scope = scope });
                }
                while (parser.Accept(','));
                parser.Expect(';');
                scope.DeclareBranchTargets(name, targets);
                return;
            }

            scope.DeclareLabel(name, kernel.Instructions.Count);
        }

        private void ParseDirective(string word)
        {
            switch (word)
            {
                case ".loc":
                    ParseLocation();
                    break;
                case ".file":
                    parser.ParseFile();
                    break;
                case ".reg":
                    ParseRegisters();
                    break;
                case ".shared":
                    foreach (var variable in parser.ParseVariable())
                        parser.DeclareShared(kernel, scope, variable.Name, variable.Size, variable.Alignment, variable.Dynamic);
                    break;
                case ".local":
                    foreach (var variable in parser.ParseVariable())
                    {
                        var offset = AlignUp(kernel.LocalBytes, variable.Alignment);
                        kernel.LocalBytes = offset + variable.Size;
                        scope.Declare(new PtxSymbol(variable.Name, StateSpace.Local, offset));
                    }

                    break;
                case ".pragma":
                    parser.SkipPast(';');
                    break;
                default:
                    throw parser.Error("unsupported directive");
            }
        }

        private void ParseLocation()
        {
            var line = parser.Current.Line;
            var position = new PtxLocation((int)parser.ExpectInteger(), (int)parser.ExpectInteger());
            while (parser.Current.Line == line && parser.Current.Kind != TokenKind.End)
                parser.position++;
            if (kernel.Locations[^1] != position)
                kernel.Locations.Add(position);
            location = kernel.Locations.Count - 1;
        }

        private void ParseRegisters()
        {
            var word = parser.ExpectWord();
            if (!PtxTypes.TryParse(word[1..], out var type))
                throw parser.Error("unsupported register type");
            do
            {
                var name = parser.ExpectWord();
                if (parser.Accept('<'))
                {
                    scope.DeclareRange(name, type, (int)parser.ExpectInteger());
                    parser.Expect('>');
                }
                else
                {
                    scope.Declare(name, type);
                }
            }
            while (parser.Accept(','));
            parser.Expect(';');
        }

        private PtxOperand ParseOperand()
        {
            var operand = ParseSingle();
            if (!parser.Accept('|'))
                return operand;
            return new PtxOperand(OperandKind.Pair) { Elements = [operand, ParseSingle()] };
        }

        private PtxOperand ParseSingle()
        {
            if (parser.Accept('{'))
            {
                var elements = new List<PtxOperand>(4);
                while (!parser.Accept('}'))
                {
                    elements.Add(ParseSingle());
                    parser.Accept(',');
                }

                return new PtxOperand(OperandKind.Vector) { Elements = elements };
            }

            if (parser.Accept('['))
                return ParseAddress();
            if (parser.Accept('!'))
                return new PtxOperand(OperandKind.Register) { Register = ExpectRegister(parser.ExpectWord()), Negated = true };
            if (parser.Current.Kind == TokenKind.Number || parser.Current.Is('-'))
                return parser.ParseNumber();
            return ParseName(parser.ExpectWord());
        }

        private PtxOperand ParseName(string name)
        {
            if (name == "_")
                return new PtxOperand(OperandKind.Sink);
            if (name == "WARP_SZ")
                return new PtxOperand(OperandKind.Immediate) { Bits = 32 };
            if (scope.FindRegister(name) is { } register)
                return new PtxOperand(OperandKind.Register) { Register = register };
            if (name[0] == '%')
                return new PtxOperand(OperandKind.Special) { Name = name };
            if (scope.TryFindSymbol(name, out var symbol))
            {
                var offset = parser.Accept('+') ? parser.ExpectInteger() : 0;
                return new PtxOperand(OperandKind.Symbol) { Symbol = symbol, Bits = offset };
            }

            return new PtxOperand(OperandKind.Label) { Name = name, Scope = scope };
        }

        private PtxOperand ParseAddress()
        {
            var target = ParseSingle();
            if (target.Kind == OperandKind.Label)
                throw parser.Error($"'{target.Name}' is not declared");
            long offset = 0;
            if (target.Kind == OperandKind.Symbol)
                offset = target.Bits;
            if (parser.Accept('+'))
                offset += parser.ExpectInteger();
            else if (parser.Current.Is('-'))
                offset += parser.ExpectInteger();
            parser.Expect(']');
            return new PtxOperand(OperandKind.Address) { Base = target, Bits = offset };
        }

        private PtxRegister ExpectRegister(string name) =>
            scope.FindRegister(name) ?? throw parser.Error($"register '{name}' is not declared");
    }
}
