namespace DeltaKV.Gpu.Runtime.Cpu;

/// <summary>A list of recorded actions to run again.</summary>
internal sealed class CpuGraph(CPUAccelerator accelerator, Action[] recorded) : AcceleratorGraph(accelerator)
{
    private Action[] work = recorded;

    public override int NodeCount => work.Length;

    public override void Instantiate() => Accelerator.ThrowIfUnusable();

    public override bool Update(AcceleratorGraph newer)
    {
        ArgumentNullException.ThrowIfNull(newer);
        var sameShape = newer.NodeCount == NodeCount;
        work = ((CpuGraph)newer).work;
        return sameShape;
    }

    public override void Launch(AcceleratorStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.ThrowIfForeign(Accelerator);
        var target = (CpuStream)stream;
        foreach (var action in work)
            target.Do(action);
    }
}
