using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Gemm;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>Forward and backward of a codec on a batch: <c>y = up z</c> or <c>up psi(z) + b</c> of <c>z = down (phi(x) - phi(r))</c>, <c>e = y - (x - r)</c>, and the gradient of <c>sum e^2 / 2</c>.</summary>
/// <remarks>
/// Every product is <see cref="HalfProduct"/> with fp32 sums; its operands are halves, transposed beforehand where a gradient sums over the other side. Inputs are in
/// units of their root mean square and the loss is not divided by anything, so that halves hold gradients without a loss scale. Six products of
/// <c>2 batch rows width</c> and four small ones per step and layer; of the latter three are large, and three more there, where the decoder has a hidden layer.
/// </remarks>
internal sealed class TrainingPass : IDisposable
{
    private readonly NetworkShape shape;
    private readonly HalfProduct product;
    private readonly HalfTransposeKernel transpose;
    private readonly IHiddenLayerKernels? hidden;
    private readonly IHiddenLayerKernels? decoder;
    private readonly LatentKernels latents;
    private readonly ReconstructionKernels reconstruction;
    private readonly SumKernels sums;
    private readonly DeviceBuffers buffers;
    private readonly ArrayView<float> hiddenSums;
    private readonly ArrayView<uint> differences;
    private readonly ArrayView<float> codes;
    private readonly ArrayView<uint> codeHalves;
    private readonly ArrayView<float> decoded;
    private readonly ArrayView<uint> errors;
    private readonly ArrayView<float> featureGradients;
    private readonly ArrayView<uint> spread;
    private readonly ArrayView<uint> transposedLeft;
    private readonly ArrayView<uint> transposedRight;
    private readonly ArrayView<float> decoderSums;
    private readonly ArrayView<uint> terms;
    private readonly ArrayView<float> termGradients;
    private readonly ArrayView<uint> decoderSpread;
    private readonly ArrayView<uint> transposedWeight;
    private readonly ArrayView<float> scratch;

    /// <param name="accelerator">Where it runs.</param>
    /// <param name="shape">The networks.</param>
    /// <param name="batch">The most rows of a batch.</param>
    internal TrainingPass(Accelerator accelerator, NetworkShape shape, int batch)
    {
        this.shape = shape;
        buffers = new DeviceBuffers(accelerator);
        (product, transpose, latents, reconstruction, sums) = (new(accelerator), new(accelerator), new(accelerator), new(accelerator), new(accelerator));
        (hidden, decoder) = (Kernels(accelerator, shape.Activation), Kernels(accelerator, shape.Decoder));
        Inputs = buffers.Allocate<uint>((long)batch * shape.Width);
        RowLosses = buffers.Allocate<float>(batch);
        Gradients = buffers.Allocate<float>(shape.Count);
        SquaredNorm = buffers.Allocate<float>(1);
        hiddenSums = buffers.Allocate<float>(2L * batch * shape.Rows);
        differences = buffers.Allocate<uint>((long)batch * shape.Inputs / 2);
        codes = buffers.Allocate<float>((long)batch * shape.Latents);
        codeHalves = buffers.Allocate<uint>((long)batch * shape.Latents / 2);
        decoded = buffers.Allocate<float>((long)batch * shape.Width);
        errors = buffers.Allocate<uint>((long)batch * shape.Width / 2);
        featureGradients = buffers.Allocate<float>((long)batch * shape.Inputs);
        spread = buffers.Allocate<uint>((long)batch * shape.Rows);
        transposedLeft = buffers.Allocate<uint>((long)batch * Math.Max(Math.Max(shape.Rows, shape.DecoderRows), shape.Width));
        transposedRight = buffers.Allocate<uint>((long)batch * Math.Max(Math.Max(shape.Inputs, shape.Terms), shape.Width));
        decoderSums = buffers.Allocate<float>((long)batch * shape.DecoderRows);
        terms = decoder is null ? codeHalves : buffers.Allocate<uint>((long)batch * shape.Terms / 2);
        termGradients = decoder is null ? codes : buffers.Allocate<float>((long)batch * shape.Terms);
        decoderSpread = buffers.Allocate<uint>((long)batch * shape.DecoderRows / 2);
        transposedWeight = buffers.Allocate<uint>(Math.Max((long)Math.Max(shape.DecoderRows, shape.Inputs) * shape.Latents, (long)shape.Width * shape.Terms) / 2);
        scratch = buffers.Allocate<float>(SumKernels.Groups);
        Gradients.MemSetToZero(accelerator.DefaultStream);
    }

    /// <summary>Pairs of halves <c>[2 batch, width]</c>: rows, then what they are coded against.</summary>
    internal ArrayView<uint> Inputs { get; }

    /// <summary>Squared error of every row of the last batch.</summary>
    internal ArrayView<float> RowLosses { get; }

    /// <summary>Gradient of half the sum of <see cref="RowLosses"/>.</summary>
    internal ArrayView<float> Gradients { get; }

    /// <summary>Its squared norm.</summary>
    internal ArrayView<float> SquaredNorm { get; }

    /// <summary>Computes errors of a batch; <paramref name="bits"/> below 16 quantise the latents on their way.</summary>
    internal void Forward(AcceleratorStream stream, NetworkParameters network, int batch, int bits = 16)
    {
        if (hidden is null)
        {
            reconstruction.Difference(stream, Inputs, differences, RowLosses, batch, shape.Width);
        }
        else
        {
            product.Launch(stream, Inputs, network.Hidden, hiddenSums, 2 * batch, shape.Rows, shape.Width);
            hidden.Forward(stream, HiddenLayer(network, batch));
        }

        product.Launch(stream, differences, network.Down, codes, batch, shape.Latents, shape.Inputs);
        if (bits == 16)
            latents.Round(stream, codes, codeHalves, (long)batch * shape.Latents);
        else
            latents.Quantise(stream, codes, codeHalves, (long)batch * shape.Latents, bits);
        if (decoder is not null)
        {
            product.Launch(stream, codeHalves, network.DecoderHidden, decoderSums, batch, shape.DecoderRows, shape.Latents);
            decoder.Forward(stream, DecoderLayer(network, batch));
        }

        product.Launch(stream, terms, network.Up, decoded, batch, shape.Width, shape.Terms);
        reconstruction.Miss(stream, Inputs, decoded, network.Offset, errors, RowLosses, batch, shape.Width);
    }

    /// <summary>Computes the gradients of the batch that <see cref="Forward"/> went through.</summary>
    internal void Backward(AcceleratorStream stream, NetworkParameters network, int batch)
    {
        var (width, count) = (shape.Width, shape.Latents);
        Outer(stream, errors, width, terms, shape.Terms, Gradients.SubView(shape.Up, shape.Offset - shape.Up), batch);
        if (shape.Count > shape.Offset)
            sums.LaunchRows(stream, transposedLeft, Gradients.SubView(shape.Offset, width), width, batch);
        // Codes' own values, where they are the terms, are no longer needed.
        Back(stream, errors, network.Up, width, shape.Terms, termGradients, batch);
        if (decoder is not null)
        {
            decoder.Backward(stream, DecoderLayer(network, batch));
            Outer(stream, decoderSpread, shape.DecoderRows, codeHalves, count, Gradients.SubView(shape.DecoderWeight, shape.DecoderBias - shape.DecoderWeight), batch);
            if (shape.Decoder == FeatureActivation.Gelu)
                sums.LaunchRows(stream, transposedLeft, Gradients.SubView(shape.DecoderBias, shape.DecoderRows), shape.DecoderRows, batch);
            Back(stream, decoderSpread, network.DecoderHidden, shape.DecoderRows, count, codes, batch);
        }

        latents.Round(stream, codes, codeHalves, (long)batch * count);
        Outer(stream, codeHalves, count, differences, shape.Inputs, Gradients.SubView(shape.Down, shape.DecoderWeight - shape.Down), batch);
        if (hidden is not null)
        {
            Back(stream, codeHalves, network.Down, count, shape.Inputs, featureGradients, batch);
            hidden.Backward(stream, HiddenLayer(network, batch));
            // Tokens and references together.
            Outer(stream, spread, shape.Rows, Inputs, width, Gradients.SubView(0, shape.Bias), 2 * batch);
            if (shape.Activation == FeatureActivation.Gelu)
                sums.LaunchRows(stream, transposedLeft, Gradients.SubView(shape.Bias, shape.Rows), shape.Rows, 2 * batch);
        }

        sums.Launch(stream, Gradients, shape.Count, squares: true, scratch, SquaredNorm);
    }

    /// <summary>Adds up the batch's losses.</summary>
    internal void SumLosses(AcceleratorStream stream, int batch, ArrayView<float> result) => sums.Launch(stream, RowLosses, batch, squares: false, scratch, result);

    /// <summary>The batch's residuals <c>t = x - r</c>; their squares become <see cref="RowLosses"/>.</summary>
    internal void Residuals(AcceleratorStream stream, int batch) => reconstruction.Difference(stream, Inputs, errors, RowLosses, batch, shape.Width);

    /// <summary><c>sum t t^T</c> of a batch's residuals <c>t = x - r</c>, fp32 <c>[width, width]</c>.</summary>
    internal void Covariance(AcceleratorStream stream, int batch, ArrayView<float> result)
    {
        Residuals(stream, batch);
        transpose.Launch(stream, errors, transposedLeft, batch, shape.Width);
        product.Launch(stream, transposedLeft, transposedLeft, result, shape.Width, shape.Width, batch);
    }

    public void Dispose() => buffers.Dispose();

    /// <summary>The gradient of a weight: gradients of its results transposed, which are left behind so, times its inputs.</summary>
    private void Outer(AcceleratorStream stream, ArrayView<uint> gradients, int results, ArrayView<uint> inputs, int columns, ArrayView<float> target, int rows)
    {
        transpose.Launch(stream, gradients, transposedLeft, rows, results);
        transpose.Launch(stream, inputs, transposedRight, rows, columns);
        product.Launch(stream, transposedLeft, transposedRight, target, results, columns, rows);
    }

    /// <summary>The gradient of a weight's inputs: gradients of its results times the weight.</summary>
    private void Back(AcceleratorStream stream, ArrayView<uint> gradients, ArrayView<uint> weight, int results, int columns, ArrayView<float> target, int rows)
    {
        transpose.Launch(stream, weight, transposedWeight, results, columns);
        product.Launch(stream, gradients, transposedWeight, target, rows, columns, results);
    }

    private HiddenLayerArguments HiddenLayer(NetworkParameters network, int batch) => new()
    {
        Sums = hiddenSums,
        Bias = network.Bias,
        Differences = differences,
        Gradients = featureGradients,
        Spread = spread,
        Batch = batch,
        Features = shape.Features,
        Subtracts = 1,
    };

    private HiddenLayerArguments DecoderLayer(NetworkParameters network, int batch) => new()
    {
        Sums = decoderSums,
        Bias = network.DecoderBias,
        Differences = terms,
        Gradients = termGradients,
        Spread = decoderSpread,
        Batch = batch,
        Features = shape.DecoderFeatures,
    };

    private static IHiddenLayerKernels? Kernels(Accelerator accelerator, FeatureActivation? activation) => activation switch
    {
        FeatureActivation.SwiGlu => new HiddenLayerKernels<GatedFeatures>(accelerator),
        FeatureActivation.Gelu => new HiddenLayerKernels<SmoothFeatures>(accelerator),
        _ => null,
    };
}
