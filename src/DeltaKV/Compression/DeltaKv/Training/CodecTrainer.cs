using System.Numerics.Tensors;
using DeltaKV.Evaluation;
using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>Trains the codec of one layer after another on reconstruction loss, minibatches and Adam, all on the device.</summary>
/// <remarks>Deterministic for a seed on one kind of device. The learning rate rises over 2 % of the steps and then falls in a straight line; gradients are clipped to a norm of 1.</remarks>
internal sealed class CodecTrainer : IDisposable
{
    // Often enough to be cancelled, seldom enough not to wait.
    private const int StepsBetweenLooks = 50;

    private readonly Accelerator accelerator;
    private readonly AcceleratorStream stream;
    private readonly CodecTraining training;
    private readonly NetworkShape shape;
    private readonly TrainingPass pass;
    private readonly TrainingPass linearPass;
    private readonly NetworkParameters network;
    private readonly NetworkParameters linear;
    private readonly AdamKernel adam;
    private readonly GatherRowsKernel gather;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> order;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> losses;

    /// <param name="accelerator">Where it runs.</param>
    /// <param name="training">Choices.</param>
    /// <param name="width">Elements of a kv row.</param>
    internal CodecTrainer(Accelerator accelerator, CodecTraining training, int width)
    {
        training.Validate(width);
        (this.accelerator, this.training, stream) = (accelerator, training, accelerator.DefaultStream);
        shape = training.Shape(width);
        var linearShape = shape with { Activation = null, Decoder = null, DecoderFeatures = 0 };
        (pass, linearPass) = (new(accelerator, shape, training.BatchRows), new(accelerator, linearShape, training.BatchRows));
        (network, linear) = (new(accelerator, shape), new(accelerator, linearShape));
        (adam, gather) = (new(accelerator), new(accelerator));
        order = accelerator.Allocate1D<int>((long)training.Steps * training.BatchRows);
        losses = accelerator.Allocate1D<float>(training.Steps);
    }

    /// <summary>Trains on rows and measures on others, which have the same unit.</summary>
    /// <param name="rows">Rows to train on.</param>
    /// <param name="heldOut">Rows to measure on.</param>
    /// <param name="layer">The layer: part of what randomness is drawn from.</param>
    /// <param name="progress">Hears of steps done.</param>
    /// <param name="cancellation">Stops between steps.</param>
    internal TrainedLayer Train(LayerRows rows, LayerRows heldOut, int layer, Action<int>? progress = null, CancellationToken cancellation = default)
    {
        using var tokens = accelerator.Allocate1D(rows.Tokens);
        using var references = accelerator.Allocate1D(rows.References);
        network.Set(stream, NetworkParameters.Random(shape, new SeededRandom(training.Seed, "network", layer)));
        order.View.BaseView.CopyFromCPU<int>(stream, Order(rows.Count, new SeededRandom(training.Seed, "order", layer)));
        var batch = training.BatchRows;
        var half = (long)batch * shape.Width / 2;
        for (var step = 1; step <= training.Steps; step++)
        {
            var chosen = order.View.BaseView.SubView((long)(step - 1) * batch, batch);
            gather.Launch(stream, chosen, tokens.View, pass.Inputs.SubView(0, half), batch, shape.Width / 2);
            gather.Launch(stream, chosen, references.View, pass.Inputs.SubView(half, half), batch, shape.Width / 2);
            pass.Forward(stream, network, batch);
            pass.SumLosses(stream, batch, losses.View.BaseView.SubView(step - 1, 1));
            pass.Backward(stream, network, batch);
            // The loss is the mean over rows and elements; gradients are those of half the sum.
            adam.Launch(stream, network, pass.Gradients, pass.SquaredNorm, 2f / (batch * shape.Width), training.RateOf(step, shape.Width), step);
            if (step % StepsBetweenLooks != 0 && step != training.Steps)
                continue;
            stream.Synchronize();
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(step);
        }

        linear.Set(stream, Principal(Covariance(rows), layer));
        var square = heldOut.MeanSquare;
        return new TrainedLayer(
            network.Get(stream), rows.Scale, Residual(heldOut) / square, Measure(linearPass, linear, heldOut, square), Measure(pass, network, heldOut, square),
            [.. losses.GetAsArray1D(stream).Select(loss => loss / (batch * shape.Width))]);
    }

    public void Dispose()
    {
        pass.Dispose();
        linearPass.Dispose();
        network.Dispose();
        linear.Dispose();
        order.Dispose();
        losses.Dispose();
    }

    /// <summary>Every row once, in random order, then all of them again.</summary>
    private int[] Order(int count, SeededRandom random)
    {
        var result = new int[training.Steps * training.BatchRows];
        var all = Enumerable.Range(0, count).ToArray();
        for (var first = 0; first < result.Length; first += count)
        {
            random.Shuffle<int>(all);
            all.AsSpan(0, Math.Min(count, result.Length - first)).CopyTo(result.AsSpan(first));
        }

        return result;
    }

    private float[] Principal(float[] covariance, int layer)
    {
        var vectors = OrthogonalIteration.Leading(covariance, shape.Width, shape.Latents, new SeededRandom(training.Seed, "principal", layer));
        var parameters = new float[linear.Count];
        vectors.CopyTo(parameters, 0);
        for (var latent = 0; latent < shape.Latents; latent++)
        {
            for (var i = 0; i < shape.Width; i++)
                parameters[vectors.Length + (i * shape.Latents) + latent] = vectors[(latent * shape.Width) + i];
        }

        return parameters;
    }

    private ReconstructionError Measure(TrainingPass with, NetworkParameters parameters, LayerRows rows, double square)
    {
        return new ReconstructionError(Error(16), Error(4));

        double Error(int bits)
        {
            var (sum, count) = (0.0, 0);
            foreach (var batch in Batches(with, rows))
            {
                with.Forward(stream, parameters, batch, bits);
                sum += Losses(with, batch);
                count += batch;
            }

            return sum / ((double)count * shape.Width) / square;
        }
    }

    /// <summary>The sum of products of residuals <c>[width, width]</c>.</summary>
    private float[] Covariance(LayerRows rows)
    {
        using var product = accelerator.Allocate1D<float>((long)shape.Width * shape.Width);
        var sum = new float[product.Length];
        foreach (var batch in Batches(linearPass, rows))
        {
            linearPass.Covariance(stream, batch, product.View);
            TensorPrimitives.Add(sum, product.GetAsArray1D(stream), sum);
        }

        return sum;
    }

    /// <summary>The mean square of residuals.</summary>
    private double Residual(LayerRows rows)
    {
        var (sum, count) = (0.0, 0);
        foreach (var batch in Batches(linearPass, rows))
        {
            linearPass.Residuals(stream, batch);
            sum += Losses(linearPass, batch);
            count += batch;
        }

        return sum / ((double)count * shape.Width);
    }

    /// <summary>Puts rows into a pass, batch after batch of a multiple of 8; fewer than 8 at the end are left out.</summary>
    private IEnumerable<int> Batches(TrainingPass into, LayerRows rows)
    {
        var words = shape.Width / 2;
        for (var first = 0; first + 8 <= rows.Count; first += training.BatchRows)
        {
            var batch = Math.Min(training.BatchRows, rows.Count - first) / 8 * 8;
            into.Inputs.SubView(0, (long)batch * words).CopyFromCPU<uint>(stream, rows.Tokens.AsSpan(first * words, batch * words));
            into.Inputs.SubView((long)batch * words, (long)batch * words).CopyFromCPU<uint>(stream, rows.References.AsSpan(first * words, batch * words));
            stream.Synchronize();
            yield return batch;
        }
    }

    private double Losses(TrainingPass of, int batch)
    {
        var values = new float[batch];
        of.RowLosses.SubView(0, batch).CopyToCPU<float>(stream, values);
        stream.Synchronize();
        return values.Sum(value => (double)value);
    }
}
