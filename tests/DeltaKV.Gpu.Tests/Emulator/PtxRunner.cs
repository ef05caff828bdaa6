using System.Runtime.InteropServices;
using DeltaKV.Gpu.Emulator;

namespace DeltaKV.Gpu.Tests.Emulator;

/// <summary>Launches hand-written PTX: arrays become aligned device buffers and come back changed, scalars are passed as they are.</summary>
internal static unsafe class PtxRunner
{
    public const string Header = ".version 7.8\n.target sm_80\n.address_size 64\n";

    private const int WordsPerArgument = 8;

    public static void Run(string ptx, KernelConfig config, object[] arguments, EmulatorOptions? options = null)
    {
        var module = PtxModule.Parse(ptx);
        if (options is null)
        {
            // Whatever the tests run is clean unless they say otherwise, so all of it goes through the sanitizer as well.
            object[] copies = [.. arguments.Select(argument => argument is Array array ? array.Clone() : argument)];
            Run(module.Entries[0], config, copies, new EmulatorOptions { Sanitize = true });
        }

        Run(module.Entries[0], config, arguments, options);
    }

    public static void Run(PtxEntry entry, KernelConfig config, object[] arguments, EmulatorOptions? options = null)
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

            options ??= new EmulatorOptions();
            if (options.Sanitize)
                options = new EmulatorOptions { Sanitize = true, Threads = options.Threads, Memory = new Buffers(arguments, buffers) };
            GridRun.Launch(entry, config, pointers, options);
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

    private sealed class Buffers(object[] arguments, nint[] buffers) : IMemoryMap
    {
        public bool Contains(nuint address, int bytes)
        {
            for (var i = 0; i < arguments.Length; i++)
            {
                if (arguments[i] is Array array && address >= (nuint)buffers[i]
                    && address + (nuint)bytes <= (nuint)buffers[i] + (nuint)Buffer.ByteLength(array))
                {
                    return true;
                }
            }

            return false;
        }

        public string Describe(nuint address) => "in no buffer";
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
