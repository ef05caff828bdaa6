using System.Collections.Concurrent;
using DeltaKV.Gpu.Compiler;
using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu;

public abstract partial class Accelerator
{
    private readonly ConcurrentDictionary<KernelKey, Lazy<Kernel>> kernels = new();

    /// <summary>
    /// Extension: compiles and loads kernels on all cores, so that the later <c>Load...</c> calls find them. A kernel whose first
    /// parameter is an index is taken as implicitly grouped.
    /// </summary>
    public void PreloadKernels(IEnumerable<Delegate> kernels)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        Parallel.ForEach(kernels, kernel => Load(kernel, IsImplicitlyGrouped(kernel)));
    }

    /// <summary>Extension: compiles and loads a kernel on a pool thread; see <see cref="PreloadKernels"/>.</summary>
    public Task<Kernel> CompileAsync(Delegate kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        return Task.Run(() => Load(kernel, IsImplicitlyGrouped(kernel)));
    }

    internal Kernel Load(Delegate action, bool implicitlyGrouped, KernelSpecialization specialization = default)
    {
        ArgumentNullException.ThrowIfNull(action);
        ThrowIfUnusable();
        var key = new KernelKey(action.Method, implicitlyGrouped, specialization);
        var loading = kernels.GetOrAdd(key, static (key, self) => new Lazy<Kernel>(() => self.LoadNew(key)), this);
        try
        {
            return loading.Value;
        }
        catch
        {
            // What failed for want of memory may succeed later, so a failure is not kept.
            kernels.TryRemove(KeyValuePair.Create(key, loading));
            throw;
        }
    }

    private protected abstract Kernel LoadCore(KernelKey key, CompiledKernel compiled);

    private static bool IsImplicitlyGrouped(Delegate kernel)
    {
        var parameters = kernel.Method.GetParameters();
        return parameters.Length > 0
            && (parameters[0].ParameterType == typeof(Index1D)
                || parameters[0].ParameterType == typeof(Index2D)
                || parameters[0].ParameterType == typeof(Index3D));
    }

    private Kernel LoadNew(KernelKey key)
    {
        var compiled = Context.Compile(key, Device.Target);
        if (Context.PtxDumpDirectory is { } directory)
            PtxDump.Write(directory, compiled);
        return LoadCore(key, compiled);
    }
}
