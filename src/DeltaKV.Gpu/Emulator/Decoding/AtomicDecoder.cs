using System.Numerics;
using static DeltaKV.Gpu.Emulator.PtxType;

namespace DeltaKV.Gpu.Emulator;

/// <summary>atom and red. Scopes and orderings are all as strong as they can be.</summary>
internal static class AtomicDecoder
{
    private static readonly string[] Names = ["add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"];

    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        b.RequireAllWarps();
        if (MemoryDecoder.Space(i) == StateSpace.Shared)
            new Site<SharedAddressing>(b, i, StateSpace.Shared).Decode();
        else
            new Site<GlobalAddressing>(b, i, StateSpace.Global).Decode();
    }

    private sealed unsafe class Site<TAddressing>(ProgramBuilder b, PtxInstruction i, StateSpace space)
        where TAddressing : struct, IAddressing
    {
        public void Decode()
        {
            var name = i.Modifiers.FirstOrDefault(Names.Contains) ?? throw i.Unsupported();
            switch (name, i.Type)
            {
                case ("add", F32): Emit<uint, AtomicAddSingle>(); break;
                case ("add", F64): Emit<ulong, AtomicAddDouble>(); break;
                case ("add", F16x2): Emit<uint, AtomicAddHalves<Float16Format>>(); break;
                case ("add", BF16x2): Emit<uint, AtomicAddHalves<BFloat16Format>>(); break;
                case ("inc", U32): Emit<uint, AtomicIncrement>(); break;
                case ("dec", U32): Emit<uint, AtomicDecrement>(); break;
                case ("add", _): Integer<Add>(); break;
                case ("min", _): Integer<Minimum>(); break;
                case ("max", _): Integer<Maximum>(); break;
                case ("and", _): Integer<And>(); break;
                case ("or", _): Integer<Or>(); break;
                case ("xor", _): Integer<Xor>(); break;
                case ("exch", _): Integer<Exchange>(); break;
                case ("cas", U32 or S32 or B32): Emit(&Atomic<TAddressing, uint>.CompareExchange); break;
                case ("cas", U64 or S64 or B64): Emit(&Atomic<TAddressing, ulong>.CompareExchange); break;
                default: throw i.Unsupported();
            }
        }

        private void Integer<TOperation>()
            where TOperation : struct, IIntegerOperation
        {
            switch (i.Type)
            {
                case S32: Emit<int, IntegerOf<int, TOperation>>(); break;
                case U32 or B32: Emit<uint, IntegerOf<uint, TOperation>>(); break;
                case S64: Emit<long, IntegerOf<long, TOperation>>(); break;
                case U64 or B64: Emit<ulong, IntegerOf<ulong, TOperation>>(); break;
                default: throw i.Unsupported();
            }
        }

        private void Emit<T, TOperation>()
            where T : unmanaged, IBinaryInteger<T>
            where TOperation : struct, ILaneBinary<T, T, T> => Emit(&Atomic<TAddressing, T>.Run<TOperation>);

        private void Emit(delegate*<Warp*, Op*, Op*> handler)
        {
            var first = i.Name == "atom" ? 1 : 0;
            var destination = first == 0 ? AtomicDestination.None : b.Destination(i.Operands[0], i.Type);
            var (address, displacement) = MemoryDecoder.Address(b, i.Operands[first], space);
            var operand = b.Source(i.Operands[first + 1], i.Type);
            var replacement = i.Operands.Count > first + 2 ? b.Source(i.Operands[first + 2], i.Type) : operand;
            b.EmitCheck<TAddressing>(address, displacement, i.Type.Size(), AccessKind.Atomic);
            b.Emit(handler, destination, address, operand, replacement, displacement);
        }
    }
}
