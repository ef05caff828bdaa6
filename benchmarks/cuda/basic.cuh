// Twins of src/DeltaKV/Kernels/Basic and RmsNormKernel.cs.
#pragma once
#include "device.cuh"

__global__ void __launch_bounds__(256) copy_kernel(const uint4* source, uint4* target, long length) {
    long first = (long)blockIdx.x * 1024 + threadIdx.x;
    if (first + 768 < length) {
        uint4 v[4];
#pragma unroll
        for (int i = 0; i < 4; i++) v[i] = load_streaming(source + first + i * 256);
#pragma unroll
        for (int i = 0; i < 4; i++) store_streaming(target + first + i * 256, v[i]);
        return;
    }
    for (long i = first; i < length; i += 256) target[i] = source[i];
}

__global__ void axpy_kernel(float a, const float4* x, float4* y, long length) {
    long i = (long)blockIdx.x * 256 + threadIdx.x;
    if (i >= length) return;
    float4 l = x[i], r = y[i];
    y[i] = make_float4(fmaf(a, l.x, r.x), fmaf(a, l.y, r.y), fmaf(a, l.z, r.z), fmaf(a, l.w, r.w));
}

__device__ inline float sum4(float4 v) { return v.x + v.y + (v.z + v.w); }

__global__ void reduction_kernel(const float4* x, float* partial, long length) {
    long stride = (long)gridDim.x * 256, i = (long)blockIdx.x * 256 + threadIdx.x;
    float total = 0;
    for (; i + 3 * stride < length; i += 4 * stride) total += sum4(x[i]) + sum4(x[i + stride]) + (sum4(x[i + 2 * stride]) + sum4(x[i + 3 * stride]));
    for (; i < length; i += stride) total += sum4(x[i]);
    total = block_sum(total);
    if (threadIdx.x == 0) partial[blockIdx.x] = total;
}

__global__ void reduction_final_kernel(const float* partial, float* result, int count) {
    float total = 0;
    for (int i = threadIdx.x; i < count; i += 256) total += partial[i];
    total = block_sum(total);
    if (threadIdx.x == 0) *result = total;
}

__global__ void softmax_kernel(const float* x, float* y, int width) {
    const float* source = x + (long)blockIdx.x * width;
    float* target = y + (long)blockIdx.x * width;
    float largest = kNegativeInfinity, sum = 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        float value = source[i];
        if (value > largest) { sum *= exp_fast(largest - value); largest = value; }
        sum += exp_fast(value - largest);
    }
    float row = block_max(largest);
    sum = largest == kNegativeInfinity ? 0.f : sum * exp_fast(largest - row);
    float scale = 1.f / block_sum(sum);
    for (int i = threadIdx.x; i < width; i += blockDim.x) target[i] = exp_fast(source[i] - row) * scale;
}

__global__ void transpose_kernel(const float* x, float* y, int rows, int columns) {
    __shared__ float tile[32 * 33];
    int column = blockIdx.x * 32 + threadIdx.x, row = blockIdx.y * 32 + threadIdx.y;
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (column < columns && row + i * 8 < rows) tile[(threadIdx.y + i * 8) * 33 + threadIdx.x] = x[(long)(row + i * 8) * columns + column];
    __syncthreads();
    column = blockIdx.y * 32 + threadIdx.x;
    row = blockIdx.x * 32 + threadIdx.y;
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (column < rows && row + i * 8 < columns) y[(long)(row + i * 8) * rows + column] = tile[threadIdx.x * 33 + threadIdx.y + i * 8];
}

__device__ inline float square(uint32_t v, float sum) { return fmaf(bf16_high(v), bf16_high(v), fmaf(bf16_low(v), bf16_low(v), sum)); }
__device__ inline uint32_t scaled(uint32_t v, float scale, uint32_t w) { return pack_bf16(bf16_low(v) * scale * bf16_low(w), bf16_high(v) * scale * bf16_high(w)); }
__device__ inline uint32_t added(uint32_t a, uint32_t b) { return pack_bf16(bf16_low(a) + bf16_low(b), bf16_high(a) + bf16_high(b)); }

template <bool Adds>
__global__ void rms_norm_kernel(uint4* x, const uint4* delta, const uint4* weight, uint4* y, int chunks, float inverse_width, float epsilon) {
    launch_dependents();
    long row = (long)blockIdx.x * chunks;
    uint4 v = make_uint4(0, 0, 0, 0), w = v;
    bool inside = threadIdx.x < chunks;
    if (inside) w = weight[threadIdx.x];
    wait_for_dependencies();
    if (inside) {
        v = x[row + threadIdx.x];
        if (Adds) {
            uint4 d = delta[row + threadIdx.x];
            v = make_uint4(added(v.x, d.x), added(v.y, d.y), added(v.z, d.z), added(v.w, d.w));
            x[row + threadIdx.x] = v;
        }
    }
    float scale = rsqrtf(block_sum(square(v.w, square(v.z, square(v.y, square(v.x, 0))))) * inverse_width + epsilon);
    if (inside) y[row + threadIdx.x] = make_uint4(scaled(v.x, scale, w.x), scaled(v.y, scale, w.y), scaled(v.z, scale, w.z), scaled(v.w, scale, w.w));
}
