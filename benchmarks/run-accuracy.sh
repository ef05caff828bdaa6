#!/usr/bin/env bash
# The accuracy of compressed caches: every table of docs/deltakv.md about needle-16m, from one command.
#   OUT=results benchmarks/run-accuracy.sh
# Calibrates the codecs it needs (documents and filler that no evaluation uses), then asks all methods the same questions with `deltakv eval`.
# OUT gets accuracy.md, accuracy.json, accuracy.html and accuracy-logs.tgz (calibration reports, journal). Interrupted, it goes on where it stopped.
# Environment: CLI, the command (default: dotnet run); MODEL; DEVICE; LENGTHS; QUESTIONS per task and length; PARALLEL methods at once; JOBS calibrations at once;
# CALIBRATE, what codecs are calibrated on; SKIP, a regular expression for names of codecs not to make.
set -uo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-artifacts/accuracy}
read -ra calibrate <<<"${CALIBRATE:---documents 6 --lengths 2048,4096,8192 --prose 3}"
read -ra cli <<<"${CLI:-dotnet run -c Release --project src/DeltaKV.Cli --}"
model=${MODEL:-models/needle-16m}
device=${DEVICE:-auto}
lengths=${LENGTHS:-4096,16384}
tasks=attr,json,copy,walk
work=$out/accuracy-work
codecs=$work/codecs
mkdir -p "$codecs"

# What is calibrated: what is read (codecs of one reading share its statistics), name, the options of `deltakv calibrate`. Windows weigh less in longer
# documents, so a share of the bytes takes a codec for every length.
published='--codec pca --latents 128 --latent-bits 4 --references all --stride 10'
plan() {
  echo "all published $published --reference-bits 16"
  echo "all published-64 $published --reference-bits 16 --recent 64"
  echo "swiglu published-swiglu ${published/pca/swiglu} --intermediate 512 --steps 1500"
  echo "gelu published-gelu ${published/pca/gelu} --intermediate 512 --steps 1500"
  echo "gelu published-gelu-decoder ${published/pca/gelu} --decoder mlp --intermediate 512 --steps 1500"
  echo "int8 published-r8 $published --reference-bits 8"
  echo "int4 published-r4 $published --reference-bits 4"
  echo "all published-r0 --codec pca --latents 128 --latent-bits 4"
  for percent in 50 29 20 10 6 4 3 2; do
    for length in ${lengths//,/ }; do echo "all klt-$percent-$length --bytes $percent --at $length"; done
  done
  for family in ${tasks//,/ }; do
    for percent in 8 6; do
      for length in ${lengths//,/ }; do echo "without-$family without-$family-$percent-$length --bytes $percent --at $length --leave-out $family"; done
    done
  done
  for family in ${tasks//,/ }; do
    for length in ${lengths//,/ }; do echo "without-$family without-$family-64-$length --bytes 8 --at $length --leave-out $family --recent 64"; done
  done
  echo "all plain-metric --bytes 3 --metric none"
  echo "all plain-tokens --bytes 3 --token-weighting 0"
  echo "all equal-bytes --bytes 3 --allocation equal"
  echo "int4 klt-r4 --bytes 6 --references auto --stride 10 --reference-bits 4"
  for loss in 5 10; do echo "all int4-heads-$loss --codec int4 --heads table:$loss"; done
  for family in ${tasks//,/ }; do echo "without-$family int4-heads-$family --codec int4 --heads table:10 --leave-out $family"; done
  for length in ${lengths//,/ }; do echo "all klt-4-heads-$length --bytes 4 --at $length --heads table"; done
  echo "all first-raw --bytes 18 --full-layers 0"
  echo "all two-raw --bytes 30 --full-layers auto:2"
  echo "all two-kivi4 --bytes 12 --full-layers auto:2 --full kivi4"
}

# What is measured: label=method.
methods=(
  'best=deltakv'
  "published=deltakv:codec=$codecs/published.safetensors"
  "published, newest 64=deltakv:codec=$codecs/published-64.safetensors"
  "published, trained swiglu=deltakv:codec=$codecs/published-swiglu.safetensors"
  "published, trained gelu=deltakv:codec=$codecs/published-gelu.safetensors"
  "published, trained gelu, gelu decoder=deltakv:codec=$codecs/published-gelu-decoder.safetensors"
  "published, references int8=deltakv:codec=$codecs/published-r8.safetensors"
  "published, references int4=deltakv:codec=$codecs/published-r4.safetensors"
  "published, no references=deltakv:codec=$codecs/published-r0.safetensors"
)
for percent in 50 29 20 10 6 4 3 2; do methods+=("klt $percent %=deltakv:codec=$codecs/klt-$percent-{length}.safetensors"); done
for percent in 8 6; do methods+=("family left out $percent %=deltakv:codec=$codecs/without-{task}-$percent-{length}.safetensors"); done
methods+=(
  "family left out 8 %, newest 64=deltakv:codec=$codecs/without-{task}-64-{length}.safetensors"
  "klt 3 %, plain metric=deltakv:codec=$codecs/plain-metric.safetensors"
  "klt 3 %, tokens alike=deltakv:codec=$codecs/plain-tokens.safetensors"
  "klt 3 %, equal bytes=deltakv:codec=$codecs/equal-bytes.safetensors"
  "int4, head table 5 %=deltakv:codec=$codecs/int4-heads-5.safetensors"
  "int4, head table 10 %=deltakv:codec=$codecs/int4-heads-10.safetensors"
  "int4, head table 10 %, family left out=deltakv:codec=$codecs/int4-heads-{task}.safetensors"
  "klt 4 %, head table 5 %=deltakv:codec=$codecs/klt-4-heads-{length}.safetensors"
  "klt, first layer raw=deltakv:codec=$codecs/first-raw.safetensors"
  "klt, two layers raw=deltakv:codec=$codecs/two-raw.safetensors"
  "klt, two layers kivi4=deltakv:codec=$codecs/two-kivi4.safetensors"
  "klt 6 %, int4 references=deltakv:codec=$codecs/klt-r4.safetensors"
  'best, reads 17 %=deltakv:share=17'
  'best, reads 5 %=deltakv:share=5'
  'best, reads 2 %=deltakv:share=2'
  'best, reads 2 %, four observers=deltakv:share=2,observers=2+4+5+7'
  'calibration-free=int4:first=recomputed'
  'calibration-free, a scale per token=int4:first=recomputed,scales=token'
  'calibration-free int3=int3:first=recomputed'
  'calibration-free int3, a scale per token=int3:first=recomputed,scales=token'
  int8 int4 int4-2 int3 kivi-8 kivi-4 kivi-2
  'kivi-2, channels mixed=kivi-2:hadamard=true'
)
for percent in 50 29 20 10 6; do methods+=("streaming-llm $percent %=streaming-llm:share=$percent" "snapkv $percent %=snapkv:share=$percent"); done

make_codec() {
  local read=$1 name=$2 file=$codecs/$2.safetensors
  shift 2
  [[ -f $file ]] && return
  "${cli[@]}" calibrate --model "$model" --device "$device" --synthetic --seed 1 "${calibrate[@]}" "$@" --statistics "$codecs/$read.statistics" --out "$file" \
    >"$codecs/$name.txt" 2>"$codecs/$name.log" || echo "calibrating $name failed: $(tail -1 "$codecs/$name.log")" >&2
}

# The program is built once, before several start at a time.
"${cli[@]}" --help >/dev/null || exit 1
started=$SECONDS
known=", $("${cli[@]}" info --model "$model" --kv unknown 2>&1 | sed -n 's/.*there are: \(.*\)\.$/\1/p'), "
# One codec of every reading first, then the others, which find it there.
for turn in first others; do
  declare -A seen=()
  while read -r read name options; do
    case $turn${seen[$read]:-} in first | othersseen)
      while (($(jobs -rp | wc -l) >= ${JOBS:-4})); do wait -n; done
      # shellcheck disable=SC2086
      make_codec "$read" "$name" $options </dev/null &
    esac
    seen[$read]=seen
  done < <(plan | grep -vE "^[^ ]+ (${SKIP:-none})")
  wait
done
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

"${cli[@]}" eval --model "$model" --device "$device" "${arguments[@]}" --task "$tasks" --length "$lengths" --questions "${QUESTIONS:-400}" --seed 42 \
  --setting agnostic --parallel "${PARALLEL:-1}" --journal "$work/journal" \
  --json "$out/accuracy.json" --html "$out/accuracy.html" 2>"$work/eval.log" | tee "$out/accuracy.md"
status=${PIPESTATUS[0]}
((status)) && tail -3 "$work/eval.log" >&2
tar -C "$work" --exclude='*.safetensors' --exclude='*.statistics' -czf "$out/accuracy-logs.tgz" .
echo "done in $((SECONDS - started)) s" >&2
exit "$status"
