#!/usr/bin/env bash
# Decode speed and bytes of every method on a shape with random weights, in equal batches and in the largest that fit, and how much longer prompts take: from one command.
#   OUT=results benchmarks/run-decode.sh
# OUT gets decode.md and one JSON per method. Environment: CLI, the command (default: dotnet run); DEVICE; SHAPE; SIZES and PROMPTS, "none" for none; CHUNK, tokens of a prompt computed at once; SAMPLES; ONLY, a regular
# expression that labels of methods match; LIMIT, seconds for one method.
set -uo pipefail
cd "$(dirname "$0")/.."
out=${OUT:-artifacts/decode}
read -ra cli <<<"${CLI:-dotnet run -c Release --project src/DeltaKV.Cli --}"
shape=${SHAPE:-llama-3.1-8b}
mkdir -p "$out"

# label=method (compresskv needs the profile of a model and decodes as pyramidkv does). Layers and observers are those that the paper found for Llama-3.1-8B; of a smaller shape they must be within its layers.
full=${FULL:-1+2+8+18}
observers=${OBSERVERS:-2+8+18}
top=${TOP:-2048}
methods=(
  'full=full'
  'deltakv, 512 bits, all tokens read=deltakv:codec=klt,bits=512,first=recomputed'
  "deltakv, 512 bits=deltakv:codec=klt,bits=512,first=recomputed,observers=$observers,top=$top"
  "deltakv, 512 bits, KIVI layers=deltakv:codec=klt,bits=512,full=$full,fulllayers=kivi4,first=recomputed,observers=$observers,top=$top"
  "deltakv, published, int4 references, KIVI layers=deltakv:codec=published,full=$full,fulllayers=kivi4,first=recomputed,reference-bits=4,observers=$observers,top=$top"
  "deltakv, published, GELU decoder=deltakv:codec=published-mlp,full=$full,first=recomputed,observers=$observers,top=$top,hot=$((2 * top))"
  "deltakv, published=deltakv:codec=published,full=$full,first=recomputed,observers=$observers,top=$top"
  'kivi-8=kivi-8' 'kivi-4=kivi-4' 'kivi-2=kivi-2' 'int4=int4' 'int3=int3'
  'streaming-llm=streaming-llm:share=12.5' 'snapkv=snapkv:share=12.5' 'pyramidkv=pyramidkv:share=12.5' 'h2o=h2o:share=12.5' 'kvzip=kvzip:share=12.5'
  'snapkv+kivi-4=snapkv:share=12.5+kivi-4' 'snapkv+int4=snapkv:share=12.5+int4'
  "quest=quest:top=$top" "omnikv=omnikv:observers=$observers,full=0+$full,top=$top"
)

only() { grep -E "${ONLY:-.}" <<<"$1" >/dev/null; }

# What `deltakv bench` prints for a method, its rows alone: label, method, sizes, prompts, tokens computed (or filled in) at once.
rows() {
  local file log
  file=$out/$(tr -cs 'a-z0-9' '-' <<<"$1")$3-$4.json
  log=$(timeout "${LIMIT:-0}" "${cli[@]}" bench --shape "$shape" --device "${DEVICE:-auto}" --kv "$2" --decode "$3" --prefill "$4" --samples "${SAMPLES:-10}" --prefill-samples 1 --chunk "$5" \
    --json "${file//,/+}" 2>&1) || echo "$1: $(grep '^deltakv:' <<<"$log" | tail -1)" >&2
  grep -E '^\| [0-9]' <<<"$log"
}

{
  echo "| method | batch x context | ms/step | tok/s | KV | of bf16 |"
  echo "|---|---:|---:|---:|---:|---:|"
} | tee "$out/decode.md"
for method in "${methods[@]}"; do
  only "${method%%=*}" || continue
  # Of the printed table: size, time, rate, bytes and share.
  rows "${method%%=*}" "${method#*=}" "${SIZES:-8x32k,maxx32k,3x128k,maxx128k}" none 8192 |
    awk -F'|' -v label="${method%%=*}" '{ print "| " label " |" $2 "|" $3 "|" $4 "|" $9 "|" $10 "|" }' | tee -a "$out/decode.md"
done

# Prompts: what search and compression add to them. A coded prompt also reads its own history as codes.
[[ ${PROMPTS:-} == none ]] && exit
{
  echo
  echo "| method | prompt | chunk | ms | compression ms | of it | tok/s |"
  echo "|---|---:|---:|---:|---:|---:|---:|"
} | tee -a "$out/decode.md"
for method in "${methods[@]}"; do
  case ${method%%=*} in full | 'deltakv, published' | 'deltakv, 512 bits') ;; *) continue ;; esac
  only "${method%%=*}" || continue
  rows "${method%%=*}" "${method#*=}" none "${PROMPTS:-128k}" "${CHUNK:-2048}" | awk -F'|' -v label="${method%%=*}" '{ print "| " label " |" $2 "|" $3 "|" $4 "|" $5 "|" $6 "|" $7 "|" }' | tee -a "$out/decode.md"
done
