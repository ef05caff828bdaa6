// Twins of src/DeltaKV/Kernels/Gemm/SkinnyGemm.cs and TiledGemm.cs.
#pragma once
#include "device.cuh"

struct GemmArguments {
    const uint4 *input, *weight;
    bf16* output;
    int rows, columns, depth;
};

__device__ inline float swiglu(float gate, float up) { return divide(gate, 1.f + exp_fast(-gate)) * up; }

__device__ inline void multiply32(float4& sum, uint4 upper, uint4 lower, uint4 x) {
    mma(sum, upper.x, lower.x, upper.y, lower.y, x.x, x.y);
    mma(sum, upper.z, lower.z, upper.w, lower.w, x.z, x.w);
}

__device__ inline void load_step(uint4* v, const uint4* w0, const uint4* w1) {
    v[0] = load_streaming(w0);
    v[1] = load_streaming(w1);
    v[2] = load_streaming(w0 + 4);
    v[3] = load_streaming(w1 + 4);
}

__device__ inline void multiply_step(const uint4* v, const uint4* x, float4& sum) {
    multiply32(sum, v[0], v[1], x[0]);
    multiply32(sum, v[2], v[3], x[4]);
}

// Up to 8 rows of x; depth a multiple of 64.
template <bool Gates, int Depth = 2, int MaxWarps = 8>
__global__ void __launch_bounds__(32 * MaxWarps, 3) skinny_gemm_kernel(GemmArguments a) {
    __shared__ float4 partial[MaxWarps * 32];
    launch_dependents();
    int lane = threadIdx.x % 32, group = lane / 4, quad = lane % 4, warp = threadIdx.x / 32, warps = blockDim.x / 32, chunks = a.depth / 8;
    int first = blockIdx.x * (Gates ? 8 : 16);
    int upper = min(first + group, a.columns - 1), lower = Gates ? a.columns + upper : min(first + 8 + group, a.columns - 1);
    const uint4* w0 = a.weight + (long)upper * chunks + quad;
    const uint4* w1 = a.weight + (long)lower * chunks + quad;
    const uint4* x = a.input + (long)min(group, a.rows - 1) * chunks + quad;
    float4 sum = make_float4(0, 0, 0, 0);
    int stride = warps * 8, chunk = warp * 8;
    uint4 ring[Depth][4];
#pragma unroll
    for (int s = 0; s < Depth; s++)
        if (chunk + s * stride + 8 <= chunks) load_step(ring[s], w0 + chunk + s * stride, w1 + chunk + s * stride);
    wait_for_dependencies();
    for (; chunk + (2 * Depth - 1) * stride + 8 <= chunks; chunk += Depth * stride) {
#pragma unroll
        for (int s = 0; s < Depth; s++) {
            multiply_step(ring[s], x + chunk + s * stride, sum);
            load_step(ring[s], w0 + chunk + (Depth + s) * stride, w1 + chunk + (Depth + s) * stride);
        }
    }
    for (; chunk + 8 <= chunks; chunk += Depth * stride) {
#pragma unroll
        for (int s = 0; s < Depth; s++) {
            if (chunk + s * stride + 8 <= chunks) multiply_step(ring[s], x + chunk + s * stride, sum);
            if (chunk + (Depth + s) * stride + 8 <= chunks) load_step(ring[s], w0 + chunk + (Depth + s) * stride, w1 + chunk + (Depth + s) * stride);
        }
    }
    partial[warp * 32 + lane] = sum;
    __syncthreads();
    if (warp > 0) return;
    for (int w = 1; w < warps; w++) {
        float4 o = partial[w * 32 + lane];
        sum = make_float4(sum.x + o.x, sum.y + o.y, sum.z + o.z, sum.w + o.w);
    }
    auto store = [&](int row, int column, float v) {
        if (row < a.rows && column < a.columns) a.output[(long)row * a.columns + column] = __float2bfloat16_rn(v);
    };
    int token = 2 * quad, column = first + group;
    if (Gates) {
        store(token, column, swiglu(sum.x, sum.z));
        store(token + 1, column, swiglu(sum.y, sum.w));
    } else {
        store(token, column, sum.x);
        store(token + 1, column, sum.y);
        store(token, column + 8, sum.z);
        store(token + 1, column + 8, sum.w);
    }
}

// One tile of y per block; columns even.
template <int Rows, int Columns, int WarpRows, int WarpColumns, int Stages>
__global__ void __launch_bounds__(32 * WarpRows * WarpColumns, 2) tiled_gemm_kernel(GemmArguments a) {
    extern __shared__ uint4 ring[];
    constexpr int threads = 32 * WarpRows * WarpColumns, pass_rows = threads / 8, stage_size = (Rows + Columns) * 8;
    constexpr int row_passes = Rows / pass_rows, column_passes = Columns / pass_rows;
    constexpr int row_fragments = Rows / (16 * WarpRows), column_pairs = Columns / (16 * WarpColumns);
    int row_tiles = (a.rows + Rows - 1) / Rows, column_tiles = (a.columns + Columns - 1) / Columns;
    int band = blockIdx.x / (8 * column_tiles), in_band = blockIdx.x - band * 8 * column_tiles, band_rows = min(8, row_tiles - band * 8);
    int first_row = (band * 8 + in_band % band_rows) * Rows, first_column = in_band / band_rows * Columns;
    int load_row = threadIdx.x / 8, load_chunk = threadIdx.x % 8, chunks = a.depth / 8, steps = (chunks + 7) / 8;
    int target = load_row * 8 + (load_chunk ^ (load_row & 7));
    int inputs[row_passes], weights[column_passes];
#pragma unroll
    for (int i = 0; i < row_passes; i++) inputs[i] = min(first_row + load_row + i * pass_rows, a.rows - 1);
#pragma unroll
    for (int i = 0; i < column_passes; i++) weights[i] = min(first_column + load_row + i * pass_rows, a.columns - 1);
    auto load_input = [&](uint4* to, int chunk) {
        const uint4* x = a.input + min(chunk, chunks - 1);
#pragma unroll
        for (int i = 0; i < row_passes; i++) copy_async(to + i * threads, x + (long)inputs[i] * chunks, chunk < chunks ? 16 : 0);
    };
    auto load_weight = [&](uint4* to, int chunk) {
        const uint4* w = a.weight + min(chunk, chunks - 1);
#pragma unroll
        for (int i = 0; i < column_passes; i++) copy_async(to + Rows * 8 + i * threads, w + (long)weights[i] * chunks, chunk < chunks ? 16 : 0);
    };
#pragma unroll
    for (int s = 0; s < Stages - 1; s++) {
        if (s < steps) {
            load_input(ring + s * stage_size + target, s * 8 + load_chunk);
            load_weight(ring + s * stage_size + target, s * 8 + load_chunk);
        }
        commit();
    }
    float4 sums[row_fragments][2 * column_pairs] = {};
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    int warp_row = warp / WarpColumns * (Rows / WarpRows), warp_column = warp % WarpColumns * (Columns / WarpColumns);
    int left = warp_row * 8 + (lane & 15) * 8 + ((lane >> 4) ^ (lane & 7));
    int right = (Rows + warp_column) * 8 + ((lane & 7) + ((lane >> 4) << 3)) * 8 + (((lane >> 3) & 1) ^ (lane & 7));
    int read = 0, write = (Stages - 1) * stage_size;
    uint4 f[2][row_fragments], b[2][column_pairs];
    auto load_fragments = [&](int k) {
        const uint4 *from_left = ring + read + (left ^ (2 * k)), *from_right = ring + read + (right ^ (2 * k));
#pragma unroll
        for (int i = 0; i < row_fragments; i++) f[k & 1][i] = ldmatrix(from_left + i * 128);
#pragma unroll
        for (int j = 0; j < column_pairs; j++) b[k & 1][j] = ldmatrix(from_right + j * 128);
    };
    wait<Stages - 2>();
    __syncthreads();
    load_fragments(0);
    for (int step = 0; step < steps; step++) {
        int ahead = step + Stages - 1;
#pragma unroll
        for (int k = 0; k < 4; k++) {
            if (k < 3) load_fragments(k + 1);
            if (k == 0 && ahead < steps) load_input(ring + write + target, ahead * 8 + load_chunk);
            if (k == 1 && ahead < steps) load_weight(ring + write + target, ahead * 8 + load_chunk);
            if (k == 1) commit();
            if (k == 3 && step + 1 < steps) {
                wait<Stages - 2>();
                __syncthreads();
                write = read;
                read = read + stage_size == Stages * stage_size ? 0 : read + stage_size;
                load_fragments(0);
            }
#pragma unroll
            for (int j = 0; j < column_pairs; j++)
#pragma unroll
                for (int i = 0; i < row_fragments; i++) {
                    const uint4 &l = f[k & 1][i], &r = b[k & 1][j];
                    mma(sums[i][2 * j], l.x, l.y, l.z, l.w, r.x, r.y);
                    mma(sums[i][2 * j + 1], l.x, l.y, l.z, l.w, r.z, r.w);
                }
        }
    }
    auto store = [&](int row, int column, float v0, float v1) {
        if (row < a.rows && column < a.columns) ((uint32_t*)a.output)[((long)row * a.columns + column) >> 1] = pack_bf16(v0, v1);
    };
    int row = first_row + warp_row + lane / 4, column = first_column + warp_column + 2 * (lane & 3);
#pragma unroll
    for (int i = 0; i < row_fragments; i++)
#pragma unroll
        for (int j = 0; j < 2 * column_pairs; j++) {
            store(row + 16 * i, column + 8 * j, sums[i][j].x, sums[i][j].y);
            store(row + 16 * i + 8, column + 8 * j, sums[i][j].z, sums[i][j].w);
        }
}
