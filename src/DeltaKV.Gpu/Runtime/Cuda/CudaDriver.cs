using System.Reflection;
using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>The CUDA driver API, as much of it as the runtime calls. Handles and device addresses are pointer-sized.</summary>
internal static unsafe partial class CudaDriver
{
    internal const string Library = "cuda-driver";

    [LibraryImport(Library, EntryPoint = "cuInit")]
    internal static partial CudaResult Init(uint flags);

    [LibraryImport(Library, EntryPoint = "cuDriverGetVersion")]
    internal static partial CudaResult DriverGetVersion(out int version);

    [LibraryImport(Library, EntryPoint = "cuGetErrorName")]
    internal static partial CudaResult GetErrorName(CudaResult error, out byte* name);

    [LibraryImport(Library, EntryPoint = "cuGetErrorString")]
    internal static partial CudaResult GetErrorString(CudaResult error, out byte* text);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetCount")]
    internal static partial CudaResult DeviceGetCount(out int count);

    [LibraryImport(Library, EntryPoint = "cuDeviceGet")]
    internal static partial CudaResult DeviceGet(out int device, int ordinal);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetName")]
    internal static partial CudaResult DeviceGetName(byte* name, int length, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceTotalMem_v2")]
    internal static partial CudaResult DeviceTotalMem(out nuint bytes, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetAttribute")]
    internal static partial CudaResult DeviceGetAttribute(out int value, DeviceAttribute attribute, int device);

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRetain")]
    internal static partial CudaResult DevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    internal static partial CudaResult DevicePrimaryCtxRelease(int device);

    [LibraryImport(Library, EntryPoint = "cuCtxSetCurrent")]
    internal static partial CudaResult CtxSetCurrent(nint context);

    [LibraryImport(Library, EntryPoint = "cuMemGetInfo_v2")]
    internal static partial CudaResult MemGetInfo(out nuint free, out nuint total);

    [LibraryImport(Library, EntryPoint = "cuMemAlloc_v2")]
    internal static partial CudaResult MemAlloc(out nint pointer, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cuMemFree_v2")]
    internal static partial CudaResult MemFree(nint pointer);

    [LibraryImport(Library, EntryPoint = "cuMemAllocAsync")]
    internal static partial CudaResult MemAllocAsync(out nint pointer, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemFreeAsync")]
    internal static partial CudaResult MemFreeAsync(nint pointer, nint stream);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetDefaultMemPool")]
    internal static partial CudaResult DeviceGetDefaultMemPool(out nint pool, int device);

    [LibraryImport(Library, EntryPoint = "cuMemPoolSetAttribute")]
    internal static partial CudaResult MemPoolSetAttribute(nint pool, int attribute, void* value);

    [LibraryImport(Library, EntryPoint = "cuMemHostAlloc")]
    internal static partial CudaResult MemHostAlloc(out nint pointer, nuint bytes, uint flags);

    [LibraryImport(Library, EntryPoint = "cuMemFreeHost")]
    internal static partial CudaResult MemFreeHost(nint pointer);

    [LibraryImport(Library, EntryPoint = "cuMemHostGetDevicePointer_v2")]
    internal static partial CudaResult MemHostGetDevicePointer(out nint device, nint host, uint flags);

    [LibraryImport(Library, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    internal static partial CudaResult MemcpyHtoDAsync(nint target, nint source, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    internal static partial CudaResult MemcpyDtoHAsync(nint target, nint source, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemcpyAsync")]
    internal static partial CudaResult MemcpyAsync(nint target, nint source, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuMemsetD8Async")]
    internal static partial CudaResult MemsetD8Async(nint target, byte value, nuint bytes, nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamCreate")]
    internal static partial CudaResult StreamCreate(out nint stream, uint flags);

    [LibraryImport(Library, EntryPoint = "cuStreamDestroy_v2")]
    internal static partial CudaResult StreamDestroy(nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamSynchronize")]
    internal static partial CudaResult StreamSynchronize(nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamWaitEvent")]
    internal static partial CudaResult StreamWaitEvent(nint stream, nint marker, uint flags);

    [LibraryImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
    internal static partial CudaResult StreamBeginCapture(nint stream, int mode);

    [LibraryImport(Library, EntryPoint = "cuStreamEndCapture")]
    internal static partial CudaResult StreamEndCapture(nint stream, out nint graph);

    [LibraryImport(Library, EntryPoint = "cuEventCreate")]
    internal static partial CudaResult EventCreate(out nint marker, uint flags);

    [LibraryImport(Library, EntryPoint = "cuEventDestroy_v2")]
    internal static partial CudaResult EventDestroy(nint marker);

    [LibraryImport(Library, EntryPoint = "cuEventRecord")]
    internal static partial CudaResult EventRecord(nint marker, nint stream);

    [LibraryImport(Library, EntryPoint = "cuEventQuery")]
    internal static partial CudaResult EventQuery(nint marker);

    [LibraryImport(Library, EntryPoint = "cuEventSynchronize")]
    internal static partial CudaResult EventSynchronize(nint marker);

    [LibraryImport(Library, EntryPoint = "cuEventElapsedTime")]
    internal static partial CudaResult EventElapsedTime(out float milliseconds, nint start, nint end);

    [LibraryImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    internal static partial CudaResult GraphInstantiate(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuGraphExecUpdate")]
    internal static partial CudaResult GraphExecUpdate(nint executable, nint graph, out nint errorNode, out int updateResult);

    [LibraryImport(Library, EntryPoint = "cuGraphGetNodes")]
    internal static partial CudaResult GraphGetNodes(nint graph, nint* nodes, ref nuint count);

    [LibraryImport(Library, EntryPoint = "cuGraphLaunch")]
    internal static partial CudaResult GraphLaunch(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cuGraphExecDestroy")]
    internal static partial CudaResult GraphExecDestroy(nint executable);

    [LibraryImport(Library, EntryPoint = "cuGraphDestroy")]
    internal static partial CudaResult GraphDestroy(nint graph);

    [LibraryImport(Library, EntryPoint = "cuLinkCreate_v2")]
    internal static partial CudaResult LinkCreate(uint count, JitOption* options, void** values, out nint state);

    [LibraryImport(Library, EntryPoint = "cuLinkAddData_v2")]
    internal static partial CudaResult LinkAddData(
        nint state, int type, void* data, nuint bytes, byte* name, uint count, JitOption* options, void** values);

    [LibraryImport(Library, EntryPoint = "cuLinkComplete")]
    internal static partial CudaResult LinkComplete(nint state, out byte* cubin, out nuint bytes);

    [LibraryImport(Library, EntryPoint = "cuLinkDestroy")]
    internal static partial CudaResult LinkDestroy(nint state);

    [LibraryImport(Library, EntryPoint = "cuModuleLoadDataEx")]
    internal static partial CudaResult ModuleLoadData(out nint module, void* image, uint count, JitOption* options, void** values);

    [LibraryImport(Library, EntryPoint = "cuModuleUnload")]
    internal static partial CudaResult ModuleUnload(nint module);

    [LibraryImport(Library, EntryPoint = "cuModuleGetFunction", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial CudaResult ModuleGetFunction(out nint function, nint module, string name);

    [LibraryImport(Library, EntryPoint = "cuFuncGetAttribute")]
    internal static partial CudaResult FuncGetAttribute(out int value, FunctionAttribute attribute, nint function);

    [LibraryImport(Library, EntryPoint = "cuFuncSetAttribute")]
    internal static partial CudaResult FuncSetAttribute(nint function, FunctionAttribute attribute, int value);

    [LibraryImport(Library, EntryPoint = "cuOccupancyMaxActiveBlocksPerMultiprocessor")]
    internal static partial CudaResult OccupancyMaxActiveBlocks(out int blocks, nint function, int blockSize, nuint dynamicSharedBytes);

    [LibraryImport(Library, EntryPoint = "cuLaunchKernel")]
    internal static partial CudaResult LaunchKernel(
        nint function,
        uint gridX,
        uint gridY,
        uint gridZ,
        uint blockX,
        uint blockY,
        uint blockZ,
        uint sharedBytes,
        nint stream,
        void** arguments,
        void** extra);

    [LibraryImport(Library, EntryPoint = "cuLaunchKernelEx")]
    internal static partial CudaResult LaunchKernelEx(LaunchConfig* config, nint function, void** arguments, void** extra);

    internal static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library)
            return 0;
        foreach (var candidate in OperatingSystem.IsWindows() ? (string[])["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"])
        {
            if (NativeLibrary.TryLoad(candidate, out var handle))
                return handle;
        }

        return 0;
    }
}
