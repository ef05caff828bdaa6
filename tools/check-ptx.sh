#!/usr/bin/env bash
# Does ptxas accept the PTX of every kernel the tests launch, for every target? Needs a CUDA toolkit, no GPU.
#   check-ptx.sh RUNNER...      the command that runs the tests, e.g.  dotnet run -c Release --project tests/DeltaKV.TestRunner --
# The kernels are compiled for the target and executed on the CPU; what they wrote to DELTAKV_DUMP goes through ptxas.
set -uo pipefail
ptxas=$(command -v ptxas || ls /usr/local/cuda*/bin/ptxas 2>/dev/null | head -1)
status=0
for target in sm_80 sm_90a sm_100; do
  dump=$(mktemp -d)
  DELTAKV_TARGET=$target DELTAKV_DUMP=$dump "$@" >"$dump/tests.log" 2>&1
  tail -1 "$dump/tests.log" | sed "s/^/$target tests: /"
  accepted=0 refused=0
  for ptx in "$dump"/*.ptx; do
    if "$ptxas" -arch="$target" "$ptx" -o /dev/null 2>"$dump/error"; then
      accepted=$((accepted + 1))
    else
      refused=$((refused + 1)) status=1
      echo "$(basename "$ptx"): $(head -1 "$dump/error")"
    fi
  done
  echo "$target: ptxas accepts $accepted kernels, refuses $refused"
  ((accepted > 0)) || status=1
  rm -rf "$dump"
done
exit $status
