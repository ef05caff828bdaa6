using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;

namespace DeltaKV.Weights;

/// <summary>A memory-mapped safetensors file. Tensors are read in place: nothing is copied until a caller copies it.</summary>
/// <remarks>
/// Pages are backed by the file, so a model larger than the RAM can still be streamed to a device. Pointers and spans live until
/// <see cref="Dispose"/>; a tensor begins where the file puts it, so it may be aligned to one byte only.
/// </remarks>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    private const int LengthPrefixBytes = 8;

    private readonly MemoryMappedFile mapping;
    private readonly MemoryMappedViewAccessor view;
    private readonly byte* data;
    private bool disposed;

    private SafetensorsFile(string path, MemoryMappedFile mapping, long length)
    {
        Path = path;
        this.mapping = mapping;
        view = mapping.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            start += view.PointerOffset;
            var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(start, LengthPrefixBytes));
            if (new ReadOnlySpan<byte>(start, LengthPrefixBytes).SequenceEqual("version "u8))
                throw new ModelFormatException(path, "is a Git LFS pointer in place of the weights; run 'git lfs pull' in the model's directory");
            if (headerLength > SafetensorsHeader.MaxHeaderBytes)
                throw new ModelFormatException(path, $"the header claims {headerLength} bytes, more than the bound of {SafetensorsHeader.MaxHeaderBytes}");
            var dataLength = length - LengthPrefixBytes - (long)headerLength;
            if (dataLength < 0)
                throw new ModelFormatException(path, $"the header claims {headerLength} bytes, but the file has {length}; it is truncated, fetch it again");

            Header = SafetensorsHeader.Parse(new ReadOnlySpan<byte>(start + LengthPrefixBytes, (int)headerLength), dataLength, path);
            data = start + LengthPrefixBytes + (long)headerLength;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal string Path { get; }

    internal SafetensorsHeader Header { get; }

    internal IReadOnlyDictionary<string, TensorInfo> Tensors => Header.Tensors;

    /// <exception cref="ModelFormatException">The file is missing, unreadable or not a valid safetensors file.</exception>
    internal static SafetensorsFile Open(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var length = stream.Length;
            if (length < LengthPrefixBytes)
                throw new ModelFormatException(path, $"the file has {length} bytes, less than the {LengthPrefixBytes} of a safetensors length prefix");
            var mapping = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            return new SafetensorsFile(path, mapping, length);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            stream?.Dispose();
            throw new ModelFormatException(path, $"cannot be read: {exception.Message}", exception);
        }
        catch
        {
            stream?.Dispose();
            throw;
        }
    }

    /// <summary>The tensor's first byte in the mapping.</summary>
    internal byte* Pointer(TensorInfo tensor)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return data + tensor.Offset;
    }

    /// <summary>A window of a tensor's bytes; tensors beyond 2 GiB are read window by window.</summary>
    internal ReadOnlySpan<byte> Bytes(TensorInfo tensor, long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, tensor.ByteLength - offset);
        return new ReadOnlySpan<byte>(Pointer(tensor) + offset, length);
    }

    /// <summary>A whole tensor below 2 Gi elements as values of <typeparamref name="T"/>, which must have the tensor's element size.</summary>
    internal ReadOnlySpan<T> Values<T>(TensorInfo tensor)
        where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() * 8 != tensor.Type.Bits())
            throw new ArgumentException($"{typeof(T).Name} does not have the element size of {tensor}", nameof(tensor));
        return new ReadOnlySpan<T>(Pointer(tensor), checked((int)tensor.ElementCount));
    }

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        mapping.Dispose();
    }
}
