#!/usr/bin/env bash
# Decode speed and bytes of every method on a shape with random weights, in equal batches and in the largest that fit: from one command.
#   OUT=results benchmarks/run-decode.sh
# OUT gets decode.md and one JSON per method. Environment: CLI, the command (default: dotnet run); DEVICE; SHAPE; SIZES; SAMPLES.
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
  'kivi-8=kivi-8' 'kivi-4=kivi-4' 'kivi-2=kivi-2' 'int4=int4' 'int3=int3'
  'streaming-llm=streaming-llm:share=12.5' 'snapkv=snapkv:share=12.5' 'pyramidkv=pyramidkv:share=12.5' 'h2o=h2o:share=12.5' 'kvzip=kvzip:share=12.5'
  "quest=quest:top=$top" "omnikv=omnikv:observers=$observers,full=0+$full,top=$top"
  "deltakv, published=deltakv:codec=published,full=$full,first=recomputed,observers=$observers,top=$top"
  "deltakv, published, int4 references, KIVI layers=deltakv:codec=published,full=$full,fulllayers=kivi4,first=recomputed,reference-bits=4,observers=$observers,top=$top"
  "deltakv, 512 bits, KIVI layers=deltakv:codec=klt,bits=512,full=$full,fulllayers=kivi4,first=recomputed,observers=$observers,top=$top"
  "deltakv, 512 bits=deltakv:codec=klt,bits=512,first=recomputed,observers=$observers,top=$top"
  'deltakv, 512 bits, all tokens read=deltakv:codec=klt,bits=512,first=recomputed'
)

{
  echo "| method | batch x context | ms/step | tok/s | KV | of bf16 |"
  echo "|---|---:|---:|---:|---:|---:|"
} | tee "$out/decode.md"
for method in "${methods[@]}"; do
  label=${method%%=*}
  file=$out/$(tr -cs 'a-z0-9' '-' <<<"$label").json
  log=$("${cli[@]}" bench --shape "$shape" --device "${DEVICE:-auto}" --kv "${method#*=}" --decode "${SIZES:-8x32k,maxx32k,3x128k,maxx128k}" --prefill none \
    --samples "${SAMPLES:-10}" --json "$file" 2>&1) || echo "$label: $(grep '^deltakv:' <<<"$log" | tail -1)" >&2
  # Of the printed table: size, time, rate, bytes and share.
  grep -E '^\| [0-9]+ x [0-9]+ \|' <<<"$log" | awk -F'|' -v label="$label" '{ print "| " label " |" $2 "|" $3 "|" $4 "|" $9 "|" $10 "|" }' | tee -a "$out/decode.md"
done
