#!/usr/bin/env bash
# Every method beside every other: the table of docs/methods.md, from one command.
#   OUT=results benchmarks/run-methods.sh
# Methods x lengths x {question after compression, question before} x shares of the bytes, on needle-16m. OUT gets methods.md, methods.json,
# methods.html, methods-aware.html and methods-logs.tgz. Interrupted, it goes on where it stopped.
# Environment: CLI, the command (default: dotnet run); MODEL; DEVICE; LENGTHS; QUESTIONS per task and length; PARALLEL methods at once; JOBS calibrations at once;
# CALIBRATE, what codecs are calibrated on.
set -uo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-artifacts/methods}
read -ra calibrate <<<"${CALIBRATE:---documents 6 --lengths 2048,4096,8192 --prose 1}"
read -ra cli <<<"${CLI:-dotnet run -c Release --project src/DeltaKV.Cli --}"
model=${MODEL:-models/needle-16m}
device=${DEVICE:-auto}
lengths=${LENGTHS:-4096,16384}
shares=(50 25 12.5 6)
work=$out/methods-work
codecs=$work/codecs
mkdir -p "$codecs"

make_codec() {
  local name=klt-$1-$2
  [[ -f $codecs/$name.safetensors ]] && return
  "${cli[@]}" calibrate --model "$model" --device "$device" --synthetic --seed 1 "${calibrate[@]}" --bytes "$1" --at "$2" --statistics "$codecs/statistics" --out "$codecs/$name.safetensors" >"$codecs/$name.txt" 2>"$codecs/$name.log" ||
    echo "calibrating $name failed: $(tail -1 "$codecs/$name.log")" >&2
}

# The program is built once, before several start at a time.
"${cli[@]}" --help >/dev/null || exit 1
started=$SECONDS
known=", $("${cli[@]}" info --model "$model" --kv unknown 2>&1 | sed -n 's/.*there are: \(.*\)\.$/\1/p'), "
# The first one reads, the others find what it read.
make_codec "${shares[0]}" "${lengths%%,*}"
for share in "${shares[@]}"; do
  for length in ${lengths//,/ }; do
    while (($(jobs -rp | wc -l) >= ${JOBS:-4})); do wait -n; done
    make_codec "$share" "$length" </dev/null &
  done
done
wait

methods=(kivi-8 kivi-4 kivi-2 int4 int3)
for share in "${shares[@]}"; do
  for name in streaming-llm snapkv pyramidkv h2o kvzip compresskv; do methods+=("$name $share %=$name:share=$share"); done
  methods+=("deltakv $share %=deltakv:codec=$codecs/klt-$share-{length}.safetensors")
done
# What is kept, coded: shares of the tokens that come to these shares of the bytes, some 2 % of 4k tokens raw among them.
for composed in "50 85 kivi-8" "25 75 kivi-4:recent=32" "12.5 35 kivi-4:recent=32" "6 15 kivi-4:recent=32"; do
  read -r share kept code <<<"$composed"
  for name in snapkv compresskv kvzip; do methods+=("$name+${code%%:*} $share %=$name:share=$kept+$code"); done
done
for composed in "25 80" "12.5 60" "6 50"; do
  read -r share kept <<<"$composed"
  methods+=("compresskv+deltakv $share %=compresskv:share=$kept+deltakv:codec=$codecs/klt-$share-{length}.safetensors")
done
# These keep everything and read a share of it.
for share in 50 25 12 6; do methods+=("quest, reads $share %=quest:share=$share" "omnikv, reads $share %=omnikv:share=$share"); done

# What this build does not have is left out, so that the others are still measured.
arguments=()
for method in "${methods[@]}"; do
  name=${method%%:*}
  name=${name##*=}
  [[ $known == *", $name, "* ]] && arguments+=(--method "$method") || echo "left out, no such method: $method" >&2
done
"${cli[@]}" eval --model "$model" --device "$device" "${arguments[@]}" --task attr,json,copy,walk --length "$lengths" --questions "${QUESTIONS:-50}" --seed 42 \
  --setting both --parallel "${PARALLEL:-1}" --journal "$work/journal" \
  --json "$out/methods.json" --html "$out/methods.html" 2>"$work/eval.log" | tee "$out/methods.md"
status=${PIPESTATUS[0]}
((status)) && tail -3 "$work/eval.log" >&2
tar -C "$work" --exclude='*.safetensors' --exclude=statistics -czf "$out/methods-logs.tgz" .
echo "done in $((SECONDS - started)) s" >&2
exit "$status"
