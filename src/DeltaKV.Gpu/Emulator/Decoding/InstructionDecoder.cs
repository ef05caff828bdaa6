namespace DeltaKV.Gpu.Emulator;

/// <summary>Finds the family of an instruction.</summary>
internal static unsafe class InstructionDecoder
{
    /// <summary>Branches take their predicate themselves.</summary>
    public static bool IsBranch(PtxInstruction i) => i.Name == "bra";

    /// <summary>Whether lanes can stop at the instruction, or leave the program there.</summary>
    public static bool MayWait(PtxInstruction i) =>
        i.Name is "bar" or "barrier" or "ret" or "exit" or "brx" or "shfl" or "vote" or "match" or "redux" or "elect" or "nanosleep"
            or "mma" or "ldmatrix" or "stmatrix" or "movmatrix";

    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Name)
        {
            case "add" or "sub" or "mul" or "mul24" or "mad" or "fma" or "div" or "rem" or "abs" or "neg" or "min" or "max" or "sqrt"
                or "rsqrt" or "rcp" or "ex2" or "lg2" or "sin" or "cos" or "tanh" or "sad" or "copysign":
                ArithmeticDecoder.Decode(b, i);
                break;
            case "and" or "or" or "xor" or "not" or "cnot" or "shl" or "shr" or "shf" or "lop3" or "prmt" or "bfe" or "bfi" or "bfind"
                or "brev" or "clz" or "popc" or "szext" or "dp4a" or "fns" or "bmsk":
                BitDecoder.Decode(b, i);
                break;
            case "setp" or "set" or "selp" or "slct" or "testp": CompareDecoder.Decode(b, i); break;
            case "cvt": ConvertDecoder.Decode(b, i); break;
            case "mov" or "ld" or "ldu" or "st" or "cvta" or "isspacep": MemoryDecoder.Decode(b, i); break;
            case "bra": b.EmitBranch(i.Operands[0], i.Guard); break;
            case "brx": b.EmitIndexedBranch(i.Operands[0], i.Operands[1]); break;
            case "ret" or "exit": b.EmitExit(); break;
            case "trap" or "brkpt": b.Emit(&ControlFlow.Trap); break;
            case "bar" or "barrier": BarrierDecoder.Decode(b, i); break;
            case "shfl" or "vote" or "match" or "redux" or "elect" or "activemask": WarpDecoder.Decode(b, i); break;
            case "atom" or "red": AtomicDecoder.Decode(b, i); break;
            case "cp" or "ldmatrix" or "stmatrix" or "movmatrix" or "mma": MatrixDecoder.Decode(b, i); break;
            case "nanosleep":
                b.RequireAllWarps();
                b.Emit(&ControlFlow.Sleep);
                break;
            case "membar" or "fence":
                b.RequireAllWarps();
                b.Emit(&ControlFlow.Fence);
                break;
            case "prefetch" or "prefetchu" or "discard" or "applypriority" or "griddepcontrol" or "setmaxnreg" or "pmevent":
                b.Emit(&ControlFlow.Nothing);
                break;
            case "createpolicy":
                b.Destination(i.Operands[0], PtxType.B64);
                b.Emit(&ControlFlow.Nothing);
                break;
            default: throw i.Unsupported();
        }
    }
}
