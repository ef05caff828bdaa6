// Twin of src/DeltaKV/Kernels/Attention/PrefillAttentionKernel.cs. Heads of D elements, 64 or 128.
#pragma once
#include "device.cuh"

struct PrefillArguments {
    const uint4* qkv;
    const int4* tiles;
    const uint4 *keys, *values;
    const int* tables;
    uint32_t* output;
    int table_stride, query_heads, key_heads, group_size, qkv_stride;
    float score_scale;
};

template <int D>
__device__ inline void load_head_tile(uint4* target, const uint4* source, int stride, int rows) {
#pragma unroll
    for (int i = 0; i < D / 16; i++) {
        int at = threadIdx.x + i * 128, row = at / (D / 8), chunk = at % (D / 8);
        copy_async(target + row * (D / 8) + (chunk ^ (row & 7)), source + min(row, rows - 1) * stride + chunk, row < rows ? 16 : 0);
    }
}

template <int D>
__global__ void __launch_bounds__(128) prefill_kernel(PrefillArguments a) {
    extern __shared__ uint4 shared[];
    constexpr int chunks = 8 * D;
    int4 tile = a.tiles[blockIdx.x];
    int head = blockIdx.y, key_head = head / a.group_size, length = tile.w + tile.z, blocks = (length + 63) / 64;
    const int* table = a.tables + (long)tile.x * a.table_stride;
    int lane = threadIdx.x % 32, first_query = threadIdx.x / 32 * 16;
    auto load_block = [&](uint4* stage, int block, int valid) {
        long source = ((long)block * a.key_heads + key_head) * 8 * D;
        load_head_tile<D>(stage, a.keys + source, D / 8, min(valid, 64));
        load_head_tile<D>(stage + chunks, a.values + source, D / 8, min(valid, 64));
    };
    load_head_tile<D>(shared + 2 * chunks, a.qkv + (long)tile.y * a.qkv_stride + head * (D / 8), a.qkv_stride, tile.z);
    commit();
    load_block(shared, table[0], length);
    commit();
    wait<1>();
    __syncthreads();
    uint4 q[D / 16];
#pragma unroll
    for (int k = 0; k < D / 16; k++) q[k] = ldmatrix(shared + 2 * chunks + (first_query + (lane & 15)) * (D / 8) + ((2 * k + (lane >> 4)) ^ (lane & 7)));
    float4 sums[D / 8] = {};
    float2 largest = make_float2(kNegativeInfinity, kNegativeInfinity), total = make_float2(0, 0);
    int position = tile.w + first_query + (lane >> 2);
    for (int block = 0; block < blocks; block++) {
        asm volatile("cp.async.wait_all;");
        __syncthreads();
        const uint4* stage = shared + (block & 1) * 2 * chunks;
        if (block + 1 < blocks) {
            load_block(shared + 2 * chunks - (block & 1) * 2 * chunks, table[block + 1], length - (block + 1) * 64);
            commit();
        }
        float4 score[8];
#pragma unroll
        for (int j = 0; j < 4; j++) {
            float4 first = make_float4(0, 0, 0, 0), second = first;
#pragma unroll
            for (int k = 0; k < D / 16; k++) {
                uint4 b = ldmatrix(stage + (j * 16 + (lane & 7) + ((lane >> 4) << 3)) * (D / 8) + ((2 * k + ((lane >> 3) & 1)) ^ (lane & 7)));
                mma(first, q[k].x, q[k].y, q[k].z, q[k].w, b.x, b.y);
                mma(second, q[k].x, q[k].y, q[k].z, q[k].w, b.z, b.w);
            }
            score[2 * j] = first;
            score[2 * j + 1] = second;
        }
        int last = position - block * 64;
        if (block * 64 + 64 > tile.w + first_query) {
#pragma unroll
            for (int j = 0; j < 8; j++) {
                int key = 8 * j + 2 * (lane & 3);
                if (key > last) score[j].x = kNegativeInfinity;
                if (key + 1 > last) score[j].y = kNegativeInfinity;
                if (key > last + 8) score[j].z = kNegativeInfinity;
                if (key + 1 > last + 8) score[j].w = kNegativeInfinity;
            }
        }
        float upper = kNegativeInfinity, lower = kNegativeInfinity, sum_upper = 0, sum_lower = 0;
#pragma unroll
        for (int j = 0; j < 8; j++) {
            upper = fmaxf(upper, fmaxf(score[j].x, score[j].y));
            lower = fmaxf(lower, fmaxf(score[j].z, score[j].w));
        }
        for (int mask = 1; mask < 4; mask <<= 1) {
            upper = fmaxf(upper, __shfl_xor_sync(~0u, upper, mask));
            lower = fmaxf(lower, __shfl_xor_sync(~0u, lower, mask));
        }
        upper = fmaxf(largest.x, upper * a.score_scale);
        lower = fmaxf(largest.y, lower * a.score_scale);
        float scale_upper = ex2(largest.x - upper), scale_lower = ex2(largest.y - lower);
        largest = make_float2(upper, lower);
#pragma unroll
        for (int j = 0; j < 8; j++) {
            score[j] = make_float4(ex2(fmaf(score[j].x, a.score_scale, -upper)), ex2(fmaf(score[j].y, a.score_scale, -upper)),
                                   ex2(fmaf(score[j].z, a.score_scale, -lower)), ex2(fmaf(score[j].w, a.score_scale, -lower)));
            sum_upper += score[j].x + score[j].y;
            sum_lower += score[j].z + score[j].w;
        }
        total = make_float2(fmaf(total.x, scale_upper, sum_upper), fmaf(total.y, scale_lower, sum_lower));
#pragma unroll
        for (int i = 0; i < D / 8; i++) sums[i] = make_float4(sums[i].x * scale_upper, sums[i].y * scale_upper, sums[i].z * scale_lower, sums[i].w * scale_lower);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            uint32_t w0 = pack_bf16(score[2 * k].x, score[2 * k].y), w1 = pack_bf16(score[2 * k].z, score[2 * k].w);
            uint32_t w2 = pack_bf16(score[2 * k + 1].x, score[2 * k + 1].y), w3 = pack_bf16(score[2 * k + 1].z, score[2 * k + 1].w);
#pragma unroll
            for (int i = 0; i < D / 16; i++) {
                uint4 b = ldmatrix_transposed(stage + chunks + (k * 16 + (lane & 15)) * (D / 8) + ((2 * i + (lane >> 4)) ^ (lane & 7)));
                mma(sums[2 * i], w0, w1, w2, w3, b.x, b.y);
                mma(sums[2 * i + 1], w0, w1, w2, w3, b.z, b.w);
            }
        }
    }
    for (int mask = 1; mask < 4; mask <<= 1) {
        total.x += __shfl_xor_sync(~0u, total.x, mask);
        total.y += __shfl_xor_sync(~0u, total.y, mask);
    }
    float upper = 1.f / total.x, lower = 1.f / total.y;
    int query = first_query + (lane >> 2), stride = a.query_heads * (D / 2);
    uint32_t* output = a.output + (long)(tile.y + query) * stride + head * (D / 2) + (lane & 3);
#pragma unroll
    for (int i = 0; i < D / 8; i++) {
        if (query < tile.z) output[4 * i] = pack_bf16(sums[i].x * upper, sums[i].y * upper);
        if (query + 8 < tile.z) output[8 * stride + 4 * i] = pack_bf16(sums[i].z * lower, sums[i].w * lower);
    }
}
