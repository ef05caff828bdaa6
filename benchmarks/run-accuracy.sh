#!/usr/bin/env bash
# The accuracy of compressed caches: every table of docs/deltakv.md about needle-16m, from one command.
#   OUT=results benchmarks/run-accuracy.sh
# Calibrates the codecs it needs (documents and filler that no evaluation uses), then asks all methods the same questions with `deltakv eval`.
# OUT gets accuracy.md, accuracy.json, accuracy.html and accuracy-logs.tgz (calibration reports, journal). Interrupted, it goes on where it stopped.
# Environment: CLI, the command (default: dotnet run); MODEL; DEVICE; LENGTHS; QUESTIONS per task and length; PARALLEL methods at once; JOBS calibrations at once.
set -uo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-artifacts/accuracy}
read -ra cli <<<"${CLI:-dotnet run -c Release --project src/DeltaKV.Cli --}"
model=${MODEL:-models/needle-16m}
device=${DEVICE:-auto}
lengths=${LENGTHS:-4096,16384}
tasks=attr,json,copy,walk
work=$out/accuracy-work
codecs=$work/codecs
mkdir -p "$codecs"

# What is calibrated: name, then the options of `deltakv calibrate`. {length} stands for every length: windows weigh less in longer documents.
published='--codec pca --latents 128 --latent-bits 4 --references all --neighbours 4 --stride 10'
plan() {
  echo "published $published --reference-bits 16"
  echo "published-1 $published --reference-bits 16 --neighbours 1"
  echo "published-r8 $published --reference-bits 8"
  echo "published-r4 $published --reference-bits 4"
  echo "published-r0 --codec pca --latents 128 --latent-bits 4 --references none"
  for percent in 50 29 20 10 6 4 3 2; do
    for length in ${lengths//,/ }; do echo "klt-$percent-$length --bytes $percent --at $length"; done
  done
  for family in ${tasks//,/ }; do
    for percent in 8 6; do
      for length in ${lengths//,/ }; do echo "without-$family-$percent-$length --bytes $percent --at $length --leave-out $family"; done
    done
  done
  echo "plain-metric --bytes 3 --metric none"
  echo "plain-tokens --bytes 3 --token-weighting 0"
  echo "equal-bytes --bytes 3 --allocation equal"
  echo "first-raw --bytes 18 --full-layers 0"
  echo "two-raw --bytes 30 --full-layers auto:2"
}

# What is measured: label=method.
methods=(
  'best=deltakv'
  "published=deltakv:codec=$codecs/published.safetensors"
  "published, k 1=deltakv:codec=$codecs/published-1.safetensors"
  "published, references int8=deltakv:codec=$codecs/published-r8.safetensors"
  "published, references int4=deltakv:codec=$codecs/published-r4.safetensors"
  "published, no references=deltakv:codec=$codecs/published-r0.safetensors"
)
for percent in 50 29 20 10 6 4 3 2; do methods+=("klt $percent %=deltakv:codec=$codecs/klt-$percent-{length}.safetensors"); done
for percent in 8 6; do methods+=("family left out, $percent %=deltakv:codec=$codecs/without-{task}-$percent-{length}.safetensors"); done
methods+=(
  "klt 3 %, plain metric=deltakv:codec=$codecs/plain-metric.safetensors"
  "klt 3 %, tokens alike=deltakv:codec=$codecs/plain-tokens.safetensors"
  "klt 3 %, equal bytes=deltakv:codec=$codecs/equal-bytes.safetensors"
  "klt, first layer raw=deltakv:codec=$codecs/first-raw.safetensors"
  "klt, two layers raw=deltakv:codec=$codecs/two-raw.safetensors"
  "klt, two layers kivi4=deltakv:codec=$codecs/two-raw.safetensors,fulllayers=kivi4"
  'best, reads 17 %=deltakv:share=17'
  'best, reads 5 %=deltakv:share=5'
  'best, reads 2 %=deltakv:share=2'
  int8 int4 int4-2 kivi-8 kivi-4 kivi-2
)
for percent in 50 29 20 10 6; do methods+=("streaming-llm $percent %=streaming-llm:share=$percent" "snapkv $percent %=snapkv:share=$percent"); done

make_codec() {
  local name=$1 file=$codecs/$1.safetensors
  shift
  [[ -f $file ]] && return
  "${cli[@]}" calibrate --model "$model" --device "$device" --synthetic --seed 1 "$@" --out "$file" >"$codecs/$name.txt" 2>"$codecs/$name.log" ||
    echo "calibrating $name failed: $(tail -1 "$codecs/$name.log")" >&2
}

# The program is built once, before several start at a time.
"${cli[@]}" --help >/dev/null || exit 1
started=$SECONDS
known=", $("${cli[@]}" info --model "$model" --kv unknown 2>&1 | sed -n 's/.*there are: \(.*\)\.$/\1/p'), "
while read -r name options; do
  while (($(jobs -rp | wc -l) >= ${JOBS:-4})); do wait -n; done
  # shellcheck disable=SC2086
  make_codec "$name" $options &
done < <(plan)
wait
echo "calibrated in $((SECONDS - started)) s" >&2

# What this build does not have, or what no codec could be made for, is left out, so that the others are still measured.
arguments=()
for method in "${methods[@]}"; do
  name=${method%%:*}
  name=${name##*=}
  [[ $known == *", $name, "* ]] || { echo "left out, no such method: $method" >&2; continue; }
  if [[ $method =~ codec=([^,]*) ]]; then
    pattern=${BASH_REMATCH[1]//\{task\}/*}
    compgen -G "${pattern//\{length\}/*}" >/dev/null || { echo "left out, no codec: $method" >&2; continue; }
  fi
  arguments+=(--method "$method")
done

"${cli[@]}" eval --model "$model" --device "$device" "${arguments[@]}" --task "$tasks" --length "$lengths" --questions "${QUESTIONS:-100}" --seed 42 \
  --setting agnostic --parallel "${PARALLEL:-1}" --journal "$work/journal" \
  --json "$out/accuracy.json" --html "$out/accuracy.html" 2>"$work/eval.log" | tee "$out/accuracy.md"
status=${PIPESTATUS[0]}
((status)) && tail -3 "$work/eval.log" >&2
tar -C "$work" --exclude='*.safetensors' -czf "$out/accuracy-logs.tgz" .
echo "done in $((SECONDS - started)) s" >&2
exit "$status"
