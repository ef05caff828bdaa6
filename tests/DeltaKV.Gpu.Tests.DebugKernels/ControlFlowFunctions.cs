namespace DeltaKV.Gpu.Tests.Kernels;

public static class ControlFlowFunctions
{
    private static readonly int Offset = int.Parse("17", System.Globalization.CultureInfo.InvariantCulture);

    public static int Ternary(int a, int b) => a > b ? a - b : b - a;

    public static int NestedTernary(int a, int b, int c) => a > b ? (b > c ? 1 : a > c ? 2 : 3) : (a > c ? 4 : b > c ? 5 : 6);

    public static int ShortCircuit(int a, int b, int c) => (a > 0 && b > 0) || (c > 0 && a != b) ? 1 : (a | b) == 0 || c < -5 ? 2 : 3;

    public static int While(int a)
    {
        var n = a & 63;
        var steps = 0;
        while (n > 1)
        {
            n = (n & 1) == 0 ? n / 2 : (3 * n) + 1;
            steps++;
        }

        return steps;
    }

    public static int DoWhile(int a)
    {
        var sum = 0;
        var i = a & 15;
        do
        {
            sum += i * i;
            i--;
        }
        while (i > 3);
        return sum;
    }

    public static int For(int a, int b)
    {
        var sum = 0;
        for (var i = 0; i < (a & 31); i++)
            sum = (sum * 31) + (b ^ i);
        return sum;
    }

    public static int BreakContinue(int a, int b)
    {
        var sum = 0;
        for (var i = 0; i < 40; i++)
        {
            if (((a >> (i & 31)) & 1) == 0)
                continue;
            if (i > (b & 31))
                break;
            sum += i;
        }

        return sum;
    }

    public static int NestedLoops(int a, int b)
    {
        var sum = 0;
        for (var i = 0; i < (a & 7); i++)
        {
            for (var j = i; j < (b & 7); j++)
            {
                if (i == j && sum > 10)
                    goto Done;
                sum += (i * j) + 1;
            }

            sum ^= i;
        }

        Done:
        return sum;
    }

    public static int EarlyReturn(int a, int b)
    {
        for (var i = 0; i < 10; i++)
        {
            if (a == i)
                return b + i;
            if (b == i)
                return a - i;
        }

        return a ^ b;
    }

    public static int Switch(int a) => (a & 15) switch
    {
        0 => 5,
        1 or 2 => 7,
        3 => -1,
        4 => a,
        5 => a * 2,
        6 => a * 3,
        9 => 100,
        > 12 => 1,
        _ => 2,
    };

    public static int SwitchStatement(int a, int b)
    {
        var result = b;
        switch (a & 7)
        {
            case 0:
                result++;
                break;
            case 1:
                result *= 2;
                goto case 3;
            case 2:
                return -b;
            case 3:
                result ^= 55;
                break;
            case 4:
            case 5:
                for (var i = 0; i < 3; i++)
                    result += i;
                break;
        }

        return result;
    }

    public static long SwitchOnLong(long a) => (a & 3) switch { 0L => 1, 1L => a, 2L => -a, _ => 0 };

    public static int ManyExits(int a, int b)
    {
        var i = 0;
        while (true)
        {
            i++;
            if (i > (a & 31))
                break;
            if ((i ^ b) == 12)
                return i;
            if (i == 20)
                return -i;
        }

        return i + b;
    }

    public static int SwapInLoop(int a, int b)
    {
        for (var i = 0; i < (a & 7); i++)
            (a, b) = (b + 1, a);
        return a - (b * 3);
    }

    public static int Fibonacci(int a)
    {
        int x = 0, y = 1;
        for (var i = 0; i < (a & 31); i++)
            (x, y) = (y, x + y);
        return x;
    }

    public static int RotateThree(int a, int b, int c)
    {
        for (var i = 0; i < (a & 15); i++)
            (a, b, c) = (b, c, a ^ i);
        return (a * 31) + (b * 7) + c;
    }

    public static int ValueAfterLoop(int a)
    {
        var last = -1;
        var i = 0;
        for (; i < (a & 15); i++)
        {
            if ((a >> i & 1) != 0)
                last = i;
        }

        return (last * 100) + i;
    }

    public static float FloatLoop(float a)
    {
        var x = MathF.Abs(a) < 1000 ? a : 3f;
        for (var i = 0; i < 8 && x > 1; i++)
            x = (x * 0.5f) - 0.1f;
        return x;
    }

    public static int Unrolled(int a, int b)
    {
        var sum = a;
        for (var i = 0; i < Unroll.Full(6); i++)
        {
            if (i == 3)
                continue;
            for (var j = i; j < Unroll.Full(4); j++)
                sum = (sum * 5) + (b >> j) + i;
        }

        return sum;
    }

    public static int UnrolledWithExit(int a, int b)
    {
        var sum = 0;
        for (var i = 0; i < Unroll.Full(8); i++)
        {
            if (((a >> i) & 1) != 0 && i > 2)
                break;
            if (b == i)
                return -sum;
            sum += i + b;
        }

        return sum;
    }

    public static int UnrolledAroundLoop(int a, int b)
    {
        var sum = 0;
        for (var i = 0; i < Unroll.Full(3); i++)
        {
            for (var j = 0; j < ((a >> i) & 7); j++)
                sum = (sum * 3) + j + b;
        }

        return sum;
    }

    public static int LoopAroundUnrolled(int a, int b)
    {
        var sum = b;
        for (var j = 0; j < (a & 7); j++)
        {
            for (var i = 0; i < Unroll.Full(3); i++)
                sum = (sum * 3) + j + i;
        }

        return sum;
    }

    public static int LocalFunction(int a, int b)
    {
        return Twice(a) + Twice(b);

        static int Twice(int x) => x > 10 ? x * 2 : x + 1;
    }

    public static int Lambda(int a, int b)
    {
        Func<int, int, int> f = static (x, y) => x > y ? x - y : x + y;
        return f(a, b) + f(b, 3);
    }

    public static int StaticReadonly(int a) => a + Offset;

    public static int Captured(int a, int b)
    {
        int Add(int x) => x + b;
        return Add(a) + Add(2);
    }
}
