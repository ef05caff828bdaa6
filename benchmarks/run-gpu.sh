#!/usr/bin/env bash
# Times every kernel on a GPU machine without .NET: the CUDA C++ twins, the peers if they are there, then ours beside them.
# Before: pack the benchmark project and the .NET runtime into .gpu (runtime.txz, app.txz) on a machine that has the SDK.
#   benchmarks/run-gpu.sh [PREFIX,...]      only rows that start so; results go to $OUT (default artifacts/gpu), the table comes last
set -uo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-artifacts/gpu}
only=${1:-}
mkdir -p "$out" .gpu/dn .gpu/app
[[ -x .gpu/dn/dotnet ]] || tar -C .gpu/dn -xJf .gpu/runtime.txz
rm -rf .gpu/app && mkdir -p .gpu/app && tar -C .gpu/app -xJf .gpu/app.txz
export DOTNET_ROOT=$PWD/.gpu/dn

arguments=(kernels --out "$out")
[[ $only ]] && arguments+=(--only "$only")

nvcc=$(command -v nvcc || ls /usr/local/cuda*/bin/nvcc 2>/dev/null | head -1)
if [[ $nvcc ]]; then
  if "$nvcc" -O3 -std=c++17 -arch=sm_90 -Xptxas -v -o .gpu/twins benchmarks/cuda/twins.cu 2>"$out/twins-build.log"; then
    IFS=, read -ra names <<<"$only"
    .gpu/twins "${names[@]}" >"$out/twins.jsonl" 2>"$out/twins.log" || { echo "twins failed:"; tail -3 "$out/twins.log"; }
    arguments+=(--twins "$out/twins.jsonl")
  else
    echo "twins did not build:"; grep -m5 error "$out/twins-build.log"
  fi
fi

for peers in ${PEERS:-} /peers peers shared/peers ../shared/peers; do
  if [[ -f $peers/kernels_torch.py && ! ${NO_PEERS:-} ]]; then
    timeout 200 python3 "$peers/kernels_torch.py" >"$out/peers.txt" 2>"$out/peers.log"
    arguments+=(--peers "$out/peers.txt")
    break
  fi
done

.gpu/dn/dotnet .gpu/app/DeltaKV.Benchmarks.dll "${arguments[@]}" 2>"$out/kernels.log"
status=$?
grep -v ': ready after' "$out/kernels.log" | head -40
exit $status
