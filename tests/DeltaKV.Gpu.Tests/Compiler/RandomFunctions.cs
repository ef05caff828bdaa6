using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Loader;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>
/// Writes random functions in IL: expressions over five types, branches, loops (some unrolled), switches, structs and references. The
/// result mixes every variable, so that nothing is dead.
/// </summary>
internal sealed class RandomFunctions(int seed)
{
    private static readonly Type[] Types = [typeof(int), typeof(long), typeof(float), typeof(double), typeof(uint)];
    private static readonly OpCode[] IntegerOperators = [OpCodes.Add, OpCodes.Sub, OpCodes.Mul, OpCodes.And, OpCodes.Or, OpCodes.Xor];
    private static readonly OpCode[] FloatOperators = [OpCodes.Add, OpCodes.Sub, OpCodes.Mul, OpCodes.Div];
    private static readonly OpCode[] Comparisons = [OpCodes.Ceq, OpCodes.Cgt, OpCodes.Clt, OpCodes.Cgt_Un, OpCodes.Clt_Un];
    private static readonly OpCode[] Branches =
        [OpCodes.Beq, OpCodes.Bge, OpCodes.Bgt, OpCodes.Ble, OpCodes.Blt, OpCodes.Bne_Un, OpCodes.Bge_Un, OpCodes.Bgt_Un, OpCodes.Ble_Un, OpCodes.Blt_Un];

    private readonly Random random = new(seed);
    private readonly Dictionary<Type, LocalBuilder[]> locals = [];
    private ILGenerator il = null!;
    private LocalBuilder record = null!;
    private Label? exit;
    private int statements;
    private int loops;

    /// <summary>Functions <c>long f(int, long, float, double, uint)</c> with consecutive seeds.</summary>
    public static MethodInfo[] Generate(int firstSeed, int count)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName($"Random{firstSeed}x{Guid.NewGuid():n}"), typeof(object).Assembly);
        var type = assembly.DefineDynamicModule("Random").DefineType("Functions", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        for (var i = 0; i < count; i++)
        {
            var method = type.DefineMethod($"F{i}", MethodAttributes.Public | MethodAttributes.Static, typeof(long), Types);
            new RandomFunctions(firstSeed + i).Write(method.GetILGenerator());
        }

        type.CreateType();
        using var image = new MemoryStream();
        assembly.Save(image);
        image.Position = 0;
        var loaded = AssemblyLoadContext.Default.LoadFromStream(image).GetType("Functions")!;
        return [.. Enumerable.Range(0, count).Select(i => loaded.GetMethod($"F{i}")!)];
    }

    private void Write(ILGenerator generator)
    {
        il = generator;
        record = il.DeclareLocal(typeof(RandomRecord));
        foreach (var type in Types)
        {
            locals[type] = [il.DeclareLocal(type), il.DeclareLocal(type)];
            foreach (var local in locals[type])
            {
                Expression(type, 1);
                il.Emit(OpCodes.Stloc, local);
            }
        }

        statements = 14;
        Block(3);
        il.Emit(OpCodes.Ldloc, record);
        il.Emit(OpCodes.Call, typeof(RandomRecord).GetMethod(nameof(RandomRecord.Hash))!);
        foreach (var (type, pair) in locals)
        {
            foreach (var local in pair)
            {
                il.Emit(OpCodes.Ldloc, local);
                il.Emit(OpCodes.Call, typeof(RandomRecord).GetMethod(nameof(RandomRecord.Mix), [typeof(long), type])!);
            }
        }

        il.Emit(OpCodes.Ret);
    }

    private void Block(int depth)
    {
        for (var i = random.Next(1, 5); i > 0 && statements > 0; i--)
        {
            statements--;
            Statement(depth);
        }
    }

    private void Statement(int depth)
    {
        switch (depth > 0 ? random.Next(11) : random.Next(5))
        {
            case 5 or 6: If(depth); break;
            case 7 or 8: Loop(depth); break;
            case 9: Switch(depth); break;
            case 10 when exit is { } label:
                Condition(1);
                il.Emit(OpCodes.Brtrue, label);
                break;
            case 3: AssignField(); break;
            case 4: CallByReference(); break;
            default: Assign(); break;
        }
    }

    private void Assign()
    {
        var type = Types[random.Next(Types.Length)];
        Expression(type, 3);
        il.Emit(OpCodes.Stloc, locals[type][random.Next(2)]);
    }

    private void AssignField()
    {
        var field = RandomRecord.Fields[random.Next(RandomRecord.Fields.Length)];
        il.Emit(OpCodes.Ldloca, record);
        Expression(StackType(field.FieldType), 2);
        if (field.FieldType == typeof(byte))
            il.Emit(OpCodes.Conv_U1);
        if (field.FieldType == typeof(short))
            il.Emit(OpCodes.Conv_I2);
        il.Emit(OpCodes.Stfld, field);
    }

    private void CallByReference()
    {
        var swapped = locals[typeof(int)];
        il.Emit(OpCodes.Ldloca, record);
        il.Emit(OpCodes.Ldloca, swapped[random.Next(2)]);
        Expression(typeof(int), 1);
        il.Emit(OpCodes.Call, typeof(RandomRecord).GetMethod(nameof(RandomRecord.Update))!);
    }

    private void If(int depth)
    {
        var (otherwise, end) = (il.DefineLabel(), il.DefineLabel());
        if (random.Next(2) == 0)
        {
            Condition(2);
            il.Emit(OpCodes.Brfalse, otherwise);
        }
        else
        {
            var type = Types[random.Next(Types.Length)];
            Expression(type, 2);
            Expression(type, 2);
            il.Emit(Branches[random.Next(Branches.Length)], otherwise);
        }

        Block(depth - 1);
        il.Emit(OpCodes.Br, end);
        il.MarkLabel(otherwise);
        if (random.Next(2) == 0)
            Block(depth - 1);
        il.MarkLabel(end);
    }

    /// <summary>As C# compiles a for loop: the test at the bottom, entered by a jump.</summary>
    private void Loop(int depth)
    {
        if (++loops > 4)
            return;
        var counter = il.DeclareLocal(typeof(int));
        var (body, step, test, end) = (il.DefineLabel(), il.DefineLabel(), il.DefineLabel(), il.DefineLabel());
        var unroll = random.Next(3) == 0;
        var bound = il.DeclareLocal(typeof(int));
        if (!unroll)
        {
            Expression(typeof(int), 1);
            il.Emit(OpCodes.Ldc_I4_7);
            il.Emit(OpCodes.And);
            il.Emit(OpCodes.Stloc, bound);
        }

        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Stloc, counter);
        il.Emit(OpCodes.Br, test);
        il.MarkLabel(body);
        var outer = exit;
        exit = random.Next(2) == 0 ? step : end;
        Block(depth - 1);
        il.Emit(OpCodes.Ldloc, counter);
        Expression(typeof(int), 1);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stloc, locals[typeof(int)][random.Next(2)]);
        exit = outer;
        il.MarkLabel(step);
        il.Emit(OpCodes.Ldloc, counter);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stloc, counter);
        il.MarkLabel(test);
        il.Emit(OpCodes.Ldloc, counter);
        if (unroll)
        {
            il.Emit(OpCodes.Ldc_I4, random.Next(1, 4));
            il.Emit(OpCodes.Call, typeof(Unroll).GetMethod(nameof(Unroll.Full))!);
        }
        else
        {
            il.Emit(OpCodes.Ldloc, bound);
        }

        il.Emit(OpCodes.Blt, body);
        il.MarkLabel(end);
    }

    private void Switch(int depth)
    {
        var labels = Enumerable.Range(0, random.Next(2, 5)).Select(_ => il.DefineLabel()).ToArray();
        var end = il.DefineLabel();
        Expression(typeof(int), 1);
        il.Emit(OpCodes.Ldc_I4, 7);
        il.Emit(OpCodes.And);
        il.Emit(OpCodes.Switch, labels);
        Assign();
        il.Emit(OpCodes.Br, end);
        foreach (var label in labels)
        {
            il.MarkLabel(label);
            Block(depth - 1);
            if (random.Next(3) != 0)
                il.Emit(OpCodes.Br, end);
        }

        il.MarkLabel(end);
    }

    private void Condition(int depth)
    {
        var type = Types[random.Next(Types.Length)];
        Expression(type, depth);
        Expression(type, depth);
        il.Emit(Comparisons[random.Next(Comparisons.Length)]);
    }

    private void Expression(Type type, int depth)
    {
        if (depth == 0 || random.Next(6) == 0)
        {
            Leaf(type);
            return;
        }

        var isFloat = type == typeof(float) || type == typeof(double);
        switch (random.Next(8))
        {
            case 0: Conversion(type, depth - 1); break;
            case 1: Ternary(type, depth - 1); break;
            case 2: Unary(type, depth - 1, isFloat); break;
            case 3 when !isFloat: Shift(type, depth - 1); break;
            case 4: Member(type, depth - 1, isFloat); break;
            default:
                Expression(type, depth - 1);
                Expression(type, depth - 1);
                var operators = isFloat ? FloatOperators : IntegerOperators;
                il.Emit(operators[random.Next(operators.Length)]);
                break;
        }
    }

    private void Leaf(Type type)
    {
        switch (random.Next(4))
        {
            case 0:
                Constant(type);
                break;
            case 1:
                il.Emit(OpCodes.Ldarg, (short)Array.IndexOf(Types, type));
                break;
            case 2 when Array.Find(RandomRecord.Fields, field => StackType(field.FieldType) == type) is { } field:
                il.Emit(OpCodes.Ldloca, record);
                il.Emit(OpCodes.Ldfld, field);
                break;
            default:
                if (locals.TryGetValue(type, out var pair))
                    il.Emit(OpCodes.Ldloc, pair[random.Next(2)]);
                else
                    Constant(type);
                break;
        }
    }

    private void Constant(Type type)
    {
        var small = random.Next(-3, 40);
        if (type == typeof(float))
            il.Emit(OpCodes.Ldc_R4, small * 0.25f);
        else if (type == typeof(double))
            il.Emit(OpCodes.Ldc_R8, small * 0.75);
        else if (type == typeof(long))
            il.Emit(OpCodes.Ldc_I8, random.Next(4) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) : small);
        else
            il.Emit(OpCodes.Ldc_I4, random.Next(4) == 0 ? random.Next(int.MinValue, int.MaxValue) : small);
    }

    private void Conversion(Type type, int depth)
    {
        var from = Types[random.Next(Types.Length)];
        Expression(from, depth);
        if (type == typeof(float))
        {
            if (from == typeof(uint))
                il.Emit(OpCodes.Conv_R_Un);
            il.Emit(OpCodes.Conv_R4);
        }
        else if (type == typeof(double))
        {
            il.Emit(from == typeof(uint) ? OpCodes.Conv_R_Un : OpCodes.Conv_R8);
            il.Emit(OpCodes.Conv_R8);
        }
        else if (type == typeof(long))
        {
            il.Emit(from == typeof(uint) ? OpCodes.Conv_U8 : OpCodes.Conv_I8);
        }
        else
        {
            OpCode[] narrow = type == typeof(uint) ? [OpCodes.Conv_U4] : [OpCodes.Conv_I4, OpCodes.Conv_I1, OpCodes.Conv_U1, OpCodes.Conv_I2, OpCodes.Conv_U2];
            il.Emit(narrow[random.Next(narrow.Length)]);
        }
    }

    private void Ternary(Type type, int depth)
    {
        var (otherwise, end) = (il.DefineLabel(), il.DefineLabel());
        Condition(depth);
        il.Emit(OpCodes.Brfalse, otherwise);
        Expression(type, depth);
        il.Emit(OpCodes.Br, end);
        il.MarkLabel(otherwise);
        Expression(type, depth);
        il.MarkLabel(end);
    }

    private void Unary(Type type, int depth, bool isFloat)
    {
        Expression(type, depth);
        il.Emit(isFloat || random.Next(2) == 0 ? OpCodes.Neg : OpCodes.Not);
    }

    private void Shift(Type type, int depth)
    {
        Expression(type, depth);
        Expression(typeof(int), depth);
        il.Emit(OpCodes.Ldc_I4, type == typeof(long) ? 63 : 31);
        il.Emit(OpCodes.And);
        OpCode[] shifts = [OpCodes.Shl, OpCodes.Shr, OpCodes.Shr_Un];
        il.Emit(shifts[random.Next(3)]);
    }

    private void Member(Type type, int depth, bool isFloat)
    {
        if (!isFloat && random.Next(2) == 0)
        {
            Expression(type, depth);
            Expression(type, depth);
            il.Emit(OpCodes.Call, typeof(RandomRecord).GetMethod(random.Next(2) == 0 ? nameof(RandomRecord.Divide) : nameof(RandomRecord.Remainder), [type, type])!);
            return;
        }

        string[] names = isFloat ? ["Min", "Max", "Sqrt", "Floor", "Abs", "Truncate"] : ["Min", "Max"];
        var name = names[random.Next(names.Length)];
        Expression(type, depth);
        if (name is "Min" or "Max")
            Expression(type, depth);
        var owner = type == typeof(float) && name is not ("Min" or "Max" or "Abs") ? typeof(MathF) : typeof(Math);
        il.Emit(OpCodes.Call, owner.GetMethod(name, name is "Min" or "Max" ? [type, type] : [type])!);
    }

    private static Type StackType(Type type) => type == typeof(byte) || type == typeof(short) ? typeof(int) : type;
}
