using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>Positions of the tokens in a run of slots of one layer: the slot of a token that no eviction has moved, else what was noted beside its raw block or its codes.</summary>
/// <remarks>Shapes: positions <c>[count]</c>, noted <c>[raw blocks, 64]</c> and <c>[coded blocks of 16, 16]</c>. One thread per slot. Moves 8 bytes per token: bound by the launch.</remarks>
internal sealed class PositionKernel(Accelerator accelerator)
{
    private const int Threads = 256;

    private readonly KernelHandle<Arguments> positions = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, Arguments arguments) =>
        positions.Launch(stream, new KernelConfig((arguments.Count + Threads - 1) / Threads, Threads), arguments);

    private static void Kernel(Arguments arguments)
    {
        var index = (Grid.IdxX * Threads) + Group.IdxX;
        if (index >= arguments.Count)
            return;
        var slot = arguments.First + index;
        var position = slot;
        if (slot < arguments.MovedEnd)
        {
            position = slot >= arguments.CodedStart && slot < arguments.CodedEnd
                ? arguments.CodedPositions[((long)arguments.CodedBlocks[slot >> 4] << 4) + (slot & 15)]
                : arguments.RawPositions[((long)arguments.RawBlocks[slot >> KvBlockLayout.Shift] << KvBlockLayout.Shift) + (slot & (KvBlockLayout.Size - 1))];
        }

        arguments.Positions[index] = position;
    }

    internal struct Arguments
    {
        /// <summary>Where they go.</summary>
        public ArrayView<int> Positions;
        public ArrayView<int> RawPositions;
        public ArrayView<int> CodedPositions;

        /// <summary>The sequence's row of the layer's tables.</summary>
        public ArrayView<int> RawBlocks;
        public ArrayView<int> CodedBlocks;
        public int First;
        public int Count;

        /// <summary>Slots below this one hold tokens that were moved.</summary>
        public int MovedEnd;
        public int CodedStart;
        public int CodedEnd;
    }
}
