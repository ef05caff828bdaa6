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

template <int D> struct DecodeState { uint4 q[D / 32], keys[D / 16], values[D / 16]; float4 sums[D / 16]; float2 largest, total; };

template <int D>
__device__ inline void load_keys(DecodeState<D>& s, const uint4* keys, long slot, int last) {
    int lane = threadIdx.x % 32, g = lane >> 2;
    const uint4* source = keys + slot * (D / 8) + (lane & 3);
    const uint4 *upper = source + min(g, last) * (D / 8), *lower = source + min(g + 8, last) * (D / 8);
#pragma unroll
    for (int j = 0; j < D / 32; j++) {
        s.keys[2 * j] = load_once(upper + 4 * j);
        s.keys[2 * j + 1] = load_once(lower + 4 * j);
    }
}

template <int D>
__device__ inline void load_values(DecodeState<D>& s, const uint4* values, long slot, int last) {
    int lane = threadIdx.x % 32, token = 2 * (lane & 3);
    const uint4* source = values + slot * (D / 8) + (lane >> 2);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const uint4* from = source + min(token + (i & 1) + 8 * (i >> 1), last) * (D / 8);
#pragma unroll
        for (int h = 0; h < D / 64; h++) s.values[4 * h + i] = load_once(from + 8 * h);
    }
}

template <int D>
__device__ inline void finish_step(DecodeState<D>& s, float4 score, int valid, float scale) {
    int g = threadIdx.x % 32 >> 2;
    if (g >= valid) score.x = score.y = kNegativeInfinity;
    if (g + 8 >= valid) score.z = score.w = kNegativeInfinity;
    float even = fmaxf(score.x, score.z), odd = fmaxf(score.y, score.w);
#pragma unroll
    for (int mask = 4; mask < 32; mask <<= 1) {
        even = fmaxf(even, __shfl_xor_sync(~0u, even, mask));
        odd = fmaxf(odd, __shfl_xor_sync(~0u, odd, mask));
    }
    even = fmaxf(s.largest.x, even * scale);
    odd = fmaxf(s.largest.y, odd * scale);
    float scale_even = ex2(s.largest.x - even), scale_odd = ex2(s.largest.y - odd);
    s.largest = make_float2(even, odd);
    score = make_float4(ex2(fmaf(score.x, scale, -even)), ex2(fmaf(score.y, scale, -odd)), ex2(fmaf(score.z, scale, -even)), ex2(fmaf(score.w, scale, -odd)));
    s.total = make_float2(fmaf(s.total.x, scale_even, score.x + score.z), fmaf(s.total.y, scale_odd, score.y + score.w));
    uint32_t weight0 = transpose_matrix(pack_bf16(score.x, score.y)), weight1 = transpose_matrix(pack_bf16(score.z, score.w));
#pragma unroll
    for (int i = 0; i < D / 16; i++) s.sums[i] = make_float4(s.sums[i].x * scale_even, s.sums[i].y * scale_odd, s.sums[i].z * scale_even, s.sums[i].w * scale_odd);
    auto add = [&](float4& sum, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
        mma(sum, __byte_perm(a, b, 0x5410), __byte_perm(a, b, 0x7632), __byte_perm(c, d, 0x5410), __byte_perm(c, d, 0x7632), weight0, weight1);
    };
#pragma unroll
    for (int h = 0; h < D / 64; h++) {
        const uint4* v = s.values + 4 * h;
        add(s.sums[4 * h], v[0].x, v[1].x, v[2].x, v[3].x);
        add(s.sums[4 * h + 1], v[0].y, v[1].y, v[2].y, v[3].y);
        add(s.sums[4 * h + 2], v[0].z, v[1].z, v[2].z, v[3].z);
        add(s.sums[4 * h + 3], v[0].w, v[1].w, v[2].w, v[3].w);
    }
}

template <int D>
__global__ void __launch_bounds__(128, 3) decode_kernel(DecodeArguments a) {
    __shared__ float2 scales[32];
    __shared__ float merged[32 * D];
    int row = blockIdx.z, key_head = blockIdx.y, length = a.positions[row] + 1;
    int blocks = (length + 63) / 64, per_split = (blocks + a.splits - 1) / a.splits, block = blockIdx.x * per_split;
    if (per_split <= 4) launch_dependents();
    if (block >= blocks) {
        wait_for_dependencies();
        return;
    }
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, first_token = warp * 16, end = min(block + per_split, (length - first_token + 63) >> 6);
    const int* table = a.tables + (long)a.sequences[row] * a.table_stride;
    DecodeState<D> s;
    auto slot_of = [&](int number) { return ((long)number * a.key_heads + key_head) * 64 + first_token; };
    long slot = slot_of(table[block]);
    int last = length - block * 64 - first_token - 1;
    if (last >= 16) load_keys(s, a.keys, slot, last);
    int next_block = table[min(block + 1, blocks - 1)];
    wait_for_dependencies();
    if (last >= 0 && last < 16) load_keys(s, a.keys, slot, last);
    const uint4* query = a.qkv + (long)row * a.qkv_stride + (key_head * a.group_size + min(lane >> 2, a.group_size - 1)) * (D / 8) + (lane & 3);
#pragma unroll
    for (int j = 0; j < D / 32; j++) s.q[j] = query[4 * j];
#pragma unroll
    for (int i = 0; i < D / 16; i++) s.sums[i] = make_float4(0, 0, 0, 0);
    s.largest = make_float2(kNegativeInfinity, kNegativeInfinity);
    s.total = make_float2(0, 0);
    for (; block < end; block++) {
        int valid = length - block * 64 - first_token;
        load_values(s, a.values, slot, valid - 1);
        float4 first = make_float4(0, 0, 0, 0), second = first;
#pragma unroll
        for (int j = 0; j < D / 32; j++) {
            uint4 upper = s.keys[2 * j], lower = s.keys[2 * j + 1];
            mma(first, upper.x, lower.x, upper.y, lower.y, s.q[j].x, s.q[j].y);
            mma(second, upper.z, lower.z, upper.w, lower.w, s.q[j].z, s.q[j].w);
        }
        slot = slot_of(next_block);
        load_keys(s, a.keys, slot, max(0, valid - 65));
        next_block = table[min(block + 2, blocks - 1)];
        finish_step(s, make_float4(first.x + second.x, first.y + second.y, first.z + second.z, first.w + second.w), valid, a.score_scale);
    }
    launch_dependents();
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
    launch_dependents();
    wait_for_dependencies();
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
