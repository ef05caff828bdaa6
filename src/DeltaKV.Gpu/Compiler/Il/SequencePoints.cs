using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>Source lines of a method's IL, from the portable PDB beside or inside its assembly.</summary>
internal sealed class SequencePoints
{
    private static readonly ConcurrentDictionary<Module, MetadataReader?> Readers = new();
    private static readonly ConcurrentDictionary<MethodBase, SequencePoints> Cache = new();
    private static readonly SequencePoints None = new([]);
    private readonly (int Offset, string File, int Line)[] points;

    private SequencePoints((int Offset, string File, int Line)[] points) => this.points = points;

    public static SequencePoints Of(MethodBase method) =>
        Cache.TryGetValue(method, out var known) ? known : Cache.GetOrAdd(method, Read);

    /// <summary>The file and line of an IL offset; null and 0 when unknown.</summary>
    public (string? File, int Line) Find(int offset)
    {
        // Code before the first point, such as making a closure, belongs to the first line.
        (string? File, int Line) found = points.Length > 0 ? (points[0].File, points[0].Line) : (null, 0);
        foreach (var point in points)
        {
            if (point.Offset > offset)
                break;
            found = (point.File, point.Line);
        }

        return found;
    }

    private static SequencePoints Read(MethodBase method)
    {
        if (Readers.GetOrAdd(method.Module, Open) is not { } reader)
            return None;
        var handle = MetadataTokens.MethodDefinitionHandle(method.MetadataToken & 0xffffff).ToDebugInformationHandle();
        if (MetadataTokens.GetRowNumber(handle) > reader.GetTableRowCount(TableIndex.MethodDebugInformation))
            return None;
        var points = new List<(int, string, int)>();
        foreach (var point in reader.GetMethodDebugInformation(handle).GetSequencePoints())
        {
            if (!point.IsHidden)
                points.Add((point.Offset, reader.GetString(reader.GetDocument(point.Document).Name), point.StartLine));
        }

        return new SequencePoints([.. points]);
    }

    private static MetadataReader? Open(Module module)
    {
        var path = module.FullyQualifiedName;
        try
        {
            if (!File.Exists(path))
                return null;
            var image = new PEReader(File.OpenRead(path));
            return image.TryOpenAssociatedPortablePdb(path, static file => File.Exists(file) ? File.OpenRead(file) : null, out var provider, out _)
                ? provider!.GetMetadataReader()
                : null;
        }
        catch (Exception exception) when (exception is IOException or BadImageFormatException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
