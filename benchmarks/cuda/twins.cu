// The kernels of src/DeltaKV/Kernels in CUDA C++, timed the way benchmarks/DeltaKV.Benchmarks times the C# ones: a JSON line per kernel.
// Build and run: nvcc -O3 -std=c++17 -arch=sm_90 -o twins twins.cu && ./twins [name prefix...]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>
#include "attention.cuh"
#include "basic.cuh"
#include "gemm.cuh"
#include "prefill.cuh"

#define CHECK(call) do { cudaError_t e = (call); if (e != cudaSuccess) { fprintf(stderr, "%s:%d %s\n", __FILE__, __LINE__, cudaGetErrorString(e)); exit(1); } } while (0)

static std::vector<const char*> wanted;
static int multiprocessors;

static bool is_wanted(const char* name) {
    if (wanted.empty()) return true;
    for (auto w : wanted) if (!strncmp(name, w, strlen(w))) return true;
    return false;
}

// Median over 20 samples of the time of one launch; a sample is `repeat` launches, each told its number to rotate through copies of its input.
static void measure(const char* name, int repeat, std::function<void(int)> launch) {
    cudaEvent_t start, stop;
    CHECK(cudaEventCreate(&start));
    CHECK(cudaEventCreate(&stop));
    int number = 0;
    std::vector<float> times;
    for (int sample = -3; sample < 20; sample++) {
        CHECK(cudaEventRecord(start));
        for (int i = 0; i < repeat; i++) launch(number++);
        CHECK(cudaEventRecord(stop));
        CHECK(cudaEventSynchronize(stop));
        float ms;
        CHECK(cudaEventElapsedTime(&ms, start, stop));
        if (sample >= 0) times.push_back(ms * 1000 / repeat);
    }
    CHECK(cudaGetLastError());
    std::sort(times.begin(), times.end());
    printf("{\"name\":\"%s\",\"us\":%.3f}\n", name, (times[9] + times[10]) / 2);
    fflush(stdout);
}

__global__ void fill_kernel(uint32_t* p, long words, bool single) {
    for (long i = (long)blockIdx.x * 256 + threadIdx.x; i < words; i += (long)gridDim.x * 256) {
        uint32_t h = (uint32_t)i * 2654435761u;
        h ^= h >> 15;
        float v = ((h & 0xffff) - 32768.f) / 32768.f;
        p[i] = single ? __float_as_uint(v) : pack_bf16(v, -v * 0.5f);
    }
}

template <typename T>
static T* allocate(long bytes, bool single = false) {
    void* p;
    CHECK(cudaMalloc(&p, bytes + 1024));
    fill_kernel<<<1024, 256>>>((uint32_t*)p, bytes / 4, single);
    CHECK(cudaDeviceSynchronize());
    return (T*)p;
}

struct Arena {
    std::vector<void*> all;
    template <typename T> T* get(long bytes, bool single = false) { all.push_back(allocate<T>(bytes, single)); return (T*)all.back(); }
    int* upload(const std::vector<int>& data) {
        int* p = get<int>(data.size() * 4);
        CHECK(cudaMemcpy(p, data.data(), data.size() * 4, cudaMemcpyHostToDevice));
        return p;
    }
    ~Arena() { for (void* p : all) cudaFree(p); }
};

// A launch that may begin beside its predecessor, as the kernels that wait for it themselves are launched.
template <typename... Parameters, typename... Arguments>
static void launch_overlapped(void (*kernel)(Parameters...), dim3 grid, int block, Arguments... arguments) {
    cudaLaunchConfig_t config = {};
    cudaLaunchAttribute attribute = {};
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
    config.gridDim = grid;
    config.blockDim = block;
    config.attrs = &attribute;
    config.numAttrs = 1;
    CHECK(cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...));
}

static int copies_of(long bytes) { return (int)std::min(16L, std::max(1L, (256L << 20) / bytes)); }

static void basic() {
    long bytes = 1L << 30;
    if (is_wanted("copy")) {
        Arena m;
        auto x = m.get<uint4>(bytes), y = m.get<uint4>(bytes);
        measure("driver copy 1 GiB", 1, [=](int) { CHECK(cudaMemcpyAsync(y, x, bytes, cudaMemcpyDeviceToDevice)); });
        measure("copy 1 GiB", 1, [=](int) { copy_kernel<<<bytes / 16 / 1024, 256>>>(x, y, bytes / 16); });
    }
    bytes = 256L << 20;
    Arena m;
    auto x = m.get<float>(bytes, true), y = m.get<float>(bytes, true), partial = m.get<float>(8192, true);
    if (is_wanted("axpy")) measure("axpy 64M", 2, [=](int) { axpy_kernel<<<bytes / 16 / 256, 256>>>(1.7f, (float4*)x, (float4*)y, bytes / 16); });
    if (is_wanted("reduction"))
        measure("reduction 64M", 2, [=](int) {
            reduction_kernel<<<1024, 256>>>((float4*)x, partial, bytes / 16);
            reduction_final_kernel<<<1, 256>>>(partial, partial + 1024, 1024);
        });
    if (is_wanted("softmax")) measure("softmax 2048x32768", 2, [=](int) { softmax_kernel<<<2048, 1024>>>(x, y, 32768); });
    if (is_wanted("transpose")) measure("transpose 8192x8192", 2, [=](int) { transpose_kernel<<<dim3(256, 256), dim3(32, 8)>>>(x, y, 8192, 8192); });
    if (is_wanted("rmsnorm")) {
        measure("rmsnorm 8192x4096", 4, [=](int) { launch_overlapped(rms_norm_kernel<false>, 8192, 512, (uint4*)x, nullptr, (uint4*)partial, (uint4*)y, 512, 1.f / 4096, 1e-5f); });
        auto delta = (uint4*)x + (64L << 20) / 16;
        measure("rmsnorm add 8192x4096", 4, [=](int) { launch_overlapped(rms_norm_kernel<true>, 8192, 512, (uint4*)x, delta, (uint4*)partial, (uint4*)y, 512, 1.f / 4096, 1e-5f); });
    }
}

static void linear(const char* name, int m_rows, int n, int k, bool gates) {
    if (!is_wanted(name)) return;
    Arena m;
    long weight_bytes = 2L * n * k * (gates ? 2 : 1);
    int copies = copies_of(weight_bytes);
    GemmArguments a{m.get<uint4>(2L * m_rows * k), nullptr, m.get<bf16>(2L * m_rows * n), m_rows, n, k};
    auto weights = m.get<char>(weight_bytes * copies);
    if (m_rows <= 8) {
        measure(name, 10, [=](int i) mutable {
            a.weight = (uint4*)(weights + weight_bytes * (i % copies));
            int warps = std::min(8, std::max(1, k / 512));
            if (gates) launch_overlapped(skinny_gemm_kernel<true>, (n + 7) / 8, 32 * warps, a);
            else launch_overlapped(skinny_gemm_kernel<false>, (n + 15) / 16, 32 * warps, a);
        });
        return;
    }
    auto kernel = tiled_gemm_kernel<128, 128, 2, 2, 3>;
    int shared = 3 * 256 * 128;
    CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared));
    measure(name, 2, [=](int i) mutable {
        a.weight = (uint4*)(weights + weight_bytes * (i % copies));
        kernel<<<((m_rows + 127) / 128) * ((n + 127) / 128), 128, shared>>>(a);
    });
}

static std::vector<int> scattered(int sequences, int blocks) {
    std::vector<int> table(sequences * blocks);
    long total = table.size();
    for (long i = 0; i < total; i++) table[i] = (int)(i * 7919 % total);
    return table;
}

static void decode(const char* name, int rows, int context) {
    if (!is_wanted(name)) return;
    Arena m;
    constexpr int D = 128, Hq = 32, Hk = 8;
    int blocks = context / 64;
    long bytes = 2L * rows * context * Hk * D;
    DecodeArguments a{};
    a.qkv = m.get<uint4>(2L * rows * (Hq + 2 * Hk) * D);
    a.keys = m.get<uint4>(bytes);
    a.values = m.get<uint4>(bytes);
    a.tables = m.upload(scattered(rows, blocks));
    std::vector<int> ids(rows), positions(rows, context - 1);
    for (int i = 0; i < rows; i++) ids[i] = i;
    a.sequences = m.upload(ids);
    a.positions = m.upload(positions);
    a.output = m.get<bf16>(2L * rows * Hq * D);
    a.splits = std::max(1, multiprocessors * 3 / (rows * Hk));
    a.partial_sums = m.get<float>(4L * rows * Hq * a.splits * D);
    a.partial_scales = m.get<float2>(8L * rows * Hq * a.splits);
    a.table_stride = blocks;
    a.key_heads = Hk;
    a.group_size = Hq / Hk;
    a.qkv_stride = (Hq + 2 * Hk) * D / 8;
    a.score_scale = 1.4426950408889634f / sqrtf(D);
    measure(name, 3, [=](int) {
        launch_overlapped(decode_kernel<D>, dim3(a.splits, Hk, rows), 128, a);
        launch_overlapped(combine_kernel<D>, dim3(Hq, rows), D, a);
    });
}

static void prefill(const char* name, int tokens) {
    if (!is_wanted(name)) return;
    Arena m;
    constexpr int D = 128, Hq = 32, Hk = 8;
    int blocks = tokens / 64;
    PrefillArguments a{};
    a.qkv = m.get<uint4>(2L * tokens * (Hq + 2 * Hk) * D);
    a.keys = m.get<uint4>(2L * tokens * Hk * D);
    a.values = m.get<uint4>(2L * tokens * Hk * D);
    a.tables = m.upload(scattered(1, blocks));
    std::vector<int> tiles;
    for (int i = blocks - 1; i >= 0; i--) tiles.insert(tiles.end(), {0, i * 64, 64, i * 64});
    a.tiles = (int4*)m.upload(tiles);
    a.output = m.get<uint32_t>(2L * tokens * Hq * D);
    a.table_stride = blocks;
    a.query_heads = Hq;
    a.key_heads = Hk;
    a.group_size = Hq / Hk;
    a.qkv_stride = (Hq + 2 * Hk) * D / 8;
    a.score_scale = 1.4426950408889634f / sqrtf(D);
    int shared = 4 * 64 * D * 2;
    CHECK(cudaFuncSetAttribute(prefill_kernel<D>, cudaFuncAttributeMaxDynamicSharedMemorySize, shared));
    measure(name, 1, [=](int) { prefill_kernel<D><<<dim3(blocks, Hq), 128, shared>>>(a); });
}

int main(int argc, char** argv) {
    for (int i = 1; i < argc; i++) wanted.push_back(argv[i]);
    cudaDeviceProp device;
    CHECK(cudaGetDeviceProperties(&device, 0));
    multiprocessors = device.multiProcessorCount;
    basic();
    linear("gemv 4096->6144", 1, 6144, 4096, false);
    linear("gemv 4096->4096", 1, 4096, 4096, false);
    linear("gemv 4096->14336", 1, 14336, 4096, false);
    linear("gemv 14336->4096", 1, 4096, 14336, false);
    linear("gemv 4096->128256", 1, 128256, 4096, false);
    linear("gemv swiglu 4096->14336", 1, 14336, 4096, true);
    linear("skinny m8 4096->4096", 8, 4096, 4096, false);
    linear("skinny m8 swiglu 4096->14336", 8, 14336, 4096, true);
    linear("gemm m4096 4096->4096", 4096, 4096, 4096, false);
    linear("gemm m4096 4096->6144", 4096, 6144, 4096, false);
    linear("gemm m4096 14336->4096", 4096, 4096, 14336, false);
    decode("decode b1 1k", 1, 1024);
    decode("decode b1 32k", 1, 32768);
    decode("decode b1 128k", 1, 131072);
    decode("decode b8 32k", 8, 32768);
    decode("decode b16 32k", 16, 32768);
    prefill("prefill 8k", 8192);
    prefill("prefill 32k", 32768);
    return 0;
}
