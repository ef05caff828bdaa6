using System.Text;
using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>Finds C# lines for IL locations.</summary>
internal static class SourceOf
{
    public static (string? File, int Line) Find(Location location) =>
        location.Frame is { } frame ? SequencePoints.Of(frame.Il.Method).Find(location.Offset) : (null, 0);

    /// <summary>A compile error at a location, with the calls that led there.</summary>
    public static KernelCompileException Failure(string reason, Location location, Exception? cause = null)
    {
        if (location.Frame is not { } frame)
            return new KernelCompileException(reason, cause!);
        var callers = new StringBuilder();
        for (var inner = frame; inner.Caller is { } caller; inner = caller)
        {
            var (callerFile, callerLine) = SequencePoints.Of(caller.Il.Method).Find(inner.CallOffset);
            callers.Append("\n   called by ").Append(KernelCompileException.Describe(caller.Il.Method));
            if (callerFile is not null)
                callers.Append(" in ").Append(callerFile).Append(":line ").Append(callerLine);
        }

        // Methods of the runtime have no lines; what the user can change is the call that led there.
        var (file, line) = Find(location);
        for (var (inner, offset) = (frame, 0); file is null && inner is not null; inner = inner.Caller)
        {
            if (inner != frame)
                (file, line) = SequencePoints.Of(inner.Il.Method).Find(offset);
            offset = inner.CallOffset;
        }

        return new KernelCompileException(reason, frame.Il.Method, location.Offset, file, line, callers.ToString(), cause);
    }
}
