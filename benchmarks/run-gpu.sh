#!/usr/bin/env bash
# Times every kernel on a GPU machine without .NET: the CUDA C++ twins, the peers if they are there, then ours beside them.
# Before: pack the benchmark project and the .NET runtime into .gpu (runtime.txz, app.txz) on a machine that has the SDK.
#   benchmarks/run-gpu.sh [PREFIX,...]      only rows that start so; results go to $OUT (default artifacts/gpu), the table comes last
set -uo pipefail
cd "$(dirname "$0")/.."
results=${OUT:-artifacts/gpu}
only=${1:-}
mkdir -p "$results" .gpu/dn .gpu/app
rm -rf .gpu/out && mkdir -p .gpu/out
out=.gpu/out
[[ -x .gpu/dn/dotnet ]] || tar -C .gpu/dn -xJf .gpu/runtime.txz
rm -rf .gpu/app && mkdir -p .gpu/app && tar -C .gpu/app -xJf .gpu/app.txz
export DOTNET_ROOT=$PWD/.gpu/dn

rm -rf .gpu/ptx && mkdir -p .gpu/ptx
arguments=(kernels --out "$out" --dump .gpu/ptx)
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

if [[ ! ${NO_PEERS:-} ]]; then
  timeout 200 python3 benchmarks/peers/kernels_torch.py >"$out/peers.txt" 2>"$out/peers.log"
  arguments+=(--peers "$out/peers.txt")
fi

.gpu/dn/dotnet .gpu/app/DeltaKV.Benchmarks.dll "${arguments[@]}" 2>"$out/kernels.log"
status=$?
grep -v ': ready after' "$out/kernels.log" | head -40

# What the assembler makes of our PTX: registers, spills, and the code of the kernels that matter most.
tools=${nvcc%/*}
if [[ -x $tools/ptxas ]]; then
  for ptx in .gpu/ptx/*.ptx; do
    target=$(sed -n 's/^\.target \([a-z0-9_]*\).*/\1/p' "$ptx")
    echo "$(basename "$ptx"): $("$tools/ptxas" -arch="$target" -v -o .gpu/kernel.cubin "$ptx" 2>&1 | grep -E 'spill|Used|error' | sed 's/ptxas info *: *//' | tr -s ' \n' ' ')"
    case $ptx in *Decode*Kernel* | *Skinny8*)
      "$tools/cuobjdump" -sass .gpu/kernel.cubin | grep -vE '^\s+/\* 0x' >"$out/$(basename "$ptx" .ptx).sass" ;;
    esac
  done >"$out/registers.txt"
  grep -vE ' 0 bytes spill stores' "$out/registers.txt" | head -10
fi
cp "$out"/kernels.md "$out"/kernels.json "$results"/
tar -C "$out" -czf "$results/logs.tgz" .
exit $status
