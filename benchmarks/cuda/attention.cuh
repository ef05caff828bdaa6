// Twins of src/DeltaKV/Kernels/Attention: decode with its combination, and prefill. Heads of D elements (64 or 128), up to 8 query heads per key head.
#pragma once
#include "device.cuh"

struct DecodeArguments {
    const uint4 *qkv, *keys, *values;
    const int *tables, *sequences, *positions;
    bf16* output;
    float* partial_sums;
    float2* partial_scales;
    int table_stride, key_heads, group_size, qkv_stride, splits;
    float score_scale;
};

template <int D> struct DecodeState { uint4 q[D / 32]; float4 sums[D / 16]; float2 largest, total; };

template <int D>
__device__ inline void decode_step(DecodeState<D>& s, const uint4* keys, const uint4* values, int valid, float scale) {
    int lane = threadIdx.x % 32, g = lane >> 2, t = lane & 3;
    float4 score[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const uint4 *upper = keys + min(half * 16 + g, valid - 1) * (D / 8), *lower = keys + min(half * 16 + 8 + g, valid - 1) * (D / 8);
        score[half] = make_float4(0, 0, 0, 0);
#pragma unroll
        for (int j = 0; j < D / 32; j++) {
            uint4 a = load_streaming(upper + t + 4 * j), b = load_streaming(lower + t + 4 * j);
            mma(score[half], a.x, b.x, a.y, b.y, s.q[j].x, s.q[j].y);
            mma(score[half], a.z, b.z, a.w, b.w, s.q[j].z, s.q[j].w);
        }
    }
    if (valid < 32) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            if (g + 16 * half >= valid) score[half].x = score[half].y = kNegativeInfinity;
            if (g + 8 + 16 * half >= valid) score[half].z = score[half].w = kNegativeInfinity;
        }
    }
    float even = fmaxf(fmaxf(score[0].x, score[0].z), fmaxf(score[1].x, score[1].z)), odd = fmaxf(fmaxf(score[0].y, score[0].w), fmaxf(score[1].y, score[1].w));
#pragma unroll
    for (int mask = 4; mask < 32; mask <<= 1) {
        even = fmaxf(even, __shfl_xor_sync(~0u, even, mask));
        odd = fmaxf(odd, __shfl_xor_sync(~0u, odd, mask));
    }
    even = fmaxf(s.largest.x, even * scale);
    odd = fmaxf(s.largest.y, odd * scale);
    float scale_even = ex2(s.largest.x - even), scale_odd = ex2(s.largest.y - odd);
    s.largest = make_float2(even, odd);
    uint2 weight[2];
    float sum_even = 0, sum_odd = 0;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float4 w = make_float4(ex2(fmaf(score[half].x, scale, -even)), ex2(fmaf(score[half].y, scale, -odd)), ex2(fmaf(score[half].z, scale, -even)), ex2(fmaf(score[half].w, scale, -odd)));
        sum_even += w.x + w.z;
        sum_odd += w.y + w.w;
        weight[half] = make_uint2(transpose_matrix(pack_bf16(w.x, w.y)), transpose_matrix(pack_bf16(w.z, w.w)));
    }
    s.total = make_float2(fmaf(s.total.x, scale_even, sum_even), fmaf(s.total.y, scale_odd, sum_odd));
#pragma unroll
    for (int i = 0; i < D / 16; i++) s.sums[i] = make_float4(s.sums[i].x * scale_even, s.sums[i].y * scale_odd, s.sums[i].z * scale_even, s.sums[i].w * scale_odd);
#pragma unroll
    for (int half = 0; half < 2; half++) {
        int token = half * 16 + 2 * t, last = valid - 1;
        const uint4 *r0 = values + min(token, last) * (D / 8), *r1 = values + min(token + 1, last) * (D / 8);
        const uint4 *r8 = values + min(token + 8, last) * (D / 8), *r9 = values + min(token + 9, last) * (D / 8);
#pragma unroll
        for (int h = 0; h < D / 64; h++) {
            uint4 v0 = load_streaming(r0 + g + 8 * h), v1 = load_streaming(r1 + g + 8 * h), v8 = load_streaming(r8 + g + 8 * h), v9 = load_streaming(r9 + g + 8 * h);
            auto add = [&](float4& sum, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
                mma(sum, __byte_perm(a, b, 0x5410), __byte_perm(a, b, 0x7632), __byte_perm(c, d, 0x5410), __byte_perm(c, d, 0x7632), weight[half].x, weight[half].y);
            };
            add(s.sums[4 * h], v0.x, v1.x, v8.x, v9.x);
            add(s.sums[4 * h + 1], v0.y, v1.y, v8.y, v9.y);
            add(s.sums[4 * h + 2], v0.z, v1.z, v8.z, v9.z);
            add(s.sums[4 * h + 3], v0.w, v1.w, v8.w, v9.w);
        }
    }
}

template <int D>
__global__ void __launch_bounds__(128) decode_kernel(DecodeArguments a) {
    __shared__ float2 scales[32];
    __shared__ float merged[32 * D];
    int row = blockIdx.z, key_head = blockIdx.y, length = a.positions[row] + 1;
    int blocks = (length + 63) / 64, per_split = (blocks + a.splits - 1) / a.splits, first = blockIdx.x * per_split * 64, end = min(length, first + per_split * 64);
    if (first >= end) return;
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    DecodeState<D> s;
    const uint4* query = a.qkv + (long)row * a.qkv_stride + (key_head * a.group_size + min(lane >> 2, a.group_size - 1)) * (D / 8);
#pragma unroll
    for (int j = 0; j < D / 32; j++) s.q[j] = load_streaming(query + (lane & 3) + 4 * j);
#pragma unroll
    for (int i = 0; i < D / 16; i++) s.sums[i] = make_float4(0, 0, 0, 0);
    s.largest = make_float2(kNegativeInfinity, kNegativeInfinity);
    s.total = make_float2(0, 0);
    const int* table = a.tables + (long)a.sequences[row] * a.table_stride;
    for (int token = first + warp * 32; token < end; token += 128) {
        long slot = ((long)table[token / 64] * a.key_heads + key_head) * 64 + token % 64;
        decode_step<D>(s, a.keys + slot * (D / 8), a.values + slot * (D / 8), end - token, a.score_scale);
    }
    float sum_even = s.total.x, sum_odd = s.total.y;
    for (int mask = 4; mask < 32; mask <<= 1) {
        sum_even += __shfl_xor_sync(~0u, sum_even, mask);
        sum_odd += __shfl_xor_sync(~0u, sum_odd, mask);
    }
    if (lane < 4) {
        scales[warp * 8 + 2 * lane] = make_float2(s.largest.x, sum_even);
        scales[warp * 8 + 2 * lane + 1] = make_float2(s.largest.y, sum_odd);
    }
#pragma unroll
    for (int i = 0; i < D / 16; i++) {
        float* at = merged + (warp * 8 + 2 * (lane & 3)) * D + (lane >> 2) * 8 + 64 * (i / 4) + 2 * (i % 4);
        at[0] = s.sums[i].x;
        at[D] = s.sums[i].y;
        at[1] = s.sums[i].z;
        at[D + 1] = s.sums[i].w;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < a.group_size * D; i += 128) {
        int head = i / D, element = i - head * D;
        float largest = kNegativeInfinity, total = 0, sum = 0;
        for (int w = 0; w < 4; w++) largest = fmaxf(largest, scales[w * 8 + head].x);
        for (int w = 0; w < 4; w++) {
            float factor = ex2(scales[w * 8 + head].x - largest);
            total = fmaf(scales[w * 8 + head].y, factor, total);
            sum = fmaf(merged[(w * 8 + head) * D + element], factor, sum);
        }
        long index = ((long)row * a.key_heads * a.group_size + key_head * a.group_size + head) * a.splits + blockIdx.x;
        a.partial_sums[index * D + element] = divide(sum, total);
        if (element == 0) a.partial_scales[index] = make_float2(largest, total);
    }
}

template <int D>
__global__ void combine_kernel(DecodeArguments a) {
    long index = (long)blockIdx.y * gridDim.x + blockIdx.x;
    int blocks = (a.positions[blockIdx.y] + 64) / 64, per_split = (blocks + a.splits - 1) / a.splits, used = (blocks + per_split - 1) / per_split;
    const float2* scales = a.partial_scales + index * a.splits;
    const float* parts = a.partial_sums + index * a.splits * D + threadIdx.x;
    float largest = kNegativeInfinity, total = 0, sum = 0;
    for (int i = 0; i < used; i++) largest = fmaxf(largest, scales[i].x);
    for (int i = 0; i < used; i++) {
        float weight = scales[i].y * ex2(scales[i].x - largest);
        total += weight;
        sum = fmaf(parts[i * D], weight, sum);
    }
    a.output[index * D + threadIdx.x] = __float2bfloat16_rn(divide(sum, total));
}
