using System.Runtime.InteropServices;
using DeltaKV.Gpu.Emulator;

namespace DeltaKV.Gpu.Tests.Emulator;

/// <summary>Launches hand-written PTX: arrays become aligned device buffers and come back changed, scalars are passed as they are.</summary>
internal static unsafe class PtxRunner
{
    public const string Header = ".version 7.8\n.target sm_80\n.address_size 64\n";

    private const int WordsPerArgument = 8;

    public static void Run(string ptx, Dim3 grid, Dim3 block, object[] arguments, int dynamicShared = 0, EmulatorOptions? options = null)
    {
        var module = PtxModule.Parse(ptx);
        Run(module.Entries[0], grid, block, arguments, dynamicShared, options);
    }

    public static void Run(
        PtxEntry entry, Dim3 grid, Dim3 block, object[] arguments, int dynamicShared = 0, EmulatorOptions? options = null)
    {
        var buffers = new nint[arguments.Length];
        var values = stackalloc ulong[arguments.Length * WordsPerArgument];
        var pointers = stackalloc void*[arguments.Length];
        try
        {
            for (var i = 0; i < arguments.Length; i++)
            {
                if (arguments[i] is Array array)
                {
                    buffers[i] = Upload(array);
                    values[i * WordsPerArgument] = (ulong)buffers[i];
                }
                else
                {
                    Marshal.StructureToPtr(arguments[i], (nint)(values + (i * WordsPerArgument)), false);
                }

                pointers[i] = values + (i * WordsPerArgument);
            }

            EmulatorLauncher.Launch(entry, grid, block, dynamicShared, pointers, options ?? new EmulatorOptions());
            for (var i = 0; i < arguments.Length; i++)
            {
                if (arguments[i] is Array array)
                    Download(array, buffers[i]);
            }
        }
        finally
        {
            foreach (var buffer in buffers)
                NativeMemory.AlignedFree((void*)buffer);
        }
    }

    private static nint Upload(Array array)
    {
        var bytes = (nuint)Buffer.ByteLength(array);
        var memory = NativeMemory.AlignedAlloc(Math.Max(64, bytes), 64);
        fixed (byte* source = &MemoryMarshal.GetArrayDataReference(array))
            NativeMemory.Copy(source, memory, bytes);
        return (nint)memory;
    }

    private static void Download(Array array, nint memory)
    {
        fixed (byte* destination = &MemoryMarshal.GetArrayDataReference(array))
            NativeMemory.Copy((void*)memory, destination, (nuint)Buffer.ByteLength(array));
    }
}
