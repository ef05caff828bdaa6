namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>A captured driver graph and, once instantiated, its executable form.</summary>
internal sealed unsafe class CudaGraph(CudaAccelerator accelerator, nint captured) : AcceleratorGraph(accelerator)
{
    private nint graph = captured;
    private nint executable;

    public override int NodeCount
    {
        get
        {
            ThrowIfDisposed();
            nuint count = 0;
            accelerator.Check(CudaDriver.GraphGetNodes(graph, null, ref count), "cuGraphGetNodes");
            return (int)count;
        }
    }

    public override void Instantiate()
    {
        ThrowIfDisposed();
        if (executable != 0)
            return;
        accelerator.Bind();
        accelerator.Check(CudaDriver.GraphInstantiate(out executable, graph, 0), "cuGraphInstantiateWithFlags");
    }

    public override bool Update(AcceleratorGraph newer)
    {
        ArgumentNullException.ThrowIfNull(newer);
        Instantiate();
        var source = (CudaGraph)newer;
        source.ThrowIfDisposed();
        var result = CudaDriver.GraphExecUpdate(executable, source.graph, out _, out _);
        (graph, source.graph) = (source.graph, graph);
        if (result == CudaResult.Success)
            return true;
        if (result != CudaResult.GraphExecUpdateFailure)
            throw accelerator.Failure(result, "cuGraphExecUpdate");
        accelerator.Check(CudaDriver.GraphExecDestroy(executable), "cuGraphExecDestroy");
        executable = 0;
        Instantiate();
        return false;
    }

    public override void Launch(AcceleratorStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        accelerator.ThrowIfUnusable();
        stream.ThrowIfForeign(accelerator);
        if (executable == 0)
            Instantiate();
        accelerator.Bind();
        accelerator.Check(CudaDriver.GraphLaunch(executable, stream.Handle), "cuGraphLaunch");
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (graph == 0 || accelerator.IsLost)
            return;
        accelerator.Bind();
        if (executable != 0)
            accelerator.Check(CudaDriver.GraphExecDestroy(executable), "cuGraphExecDestroy");
        accelerator.Check(CudaDriver.GraphDestroy(graph), "cuGraphDestroy");
        (graph, executable) = (0, 0);
    }

    private void ThrowIfDisposed()
    {
        accelerator.ThrowIfUnusable();
        ObjectDisposedException.ThrowIf(graph == 0, this);
    }
}
