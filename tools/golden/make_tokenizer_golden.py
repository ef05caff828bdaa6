"""Writes the ids the C# tokenizer must give: tests/DeltaKV.Tests/Fixtures/tokenizers/*.golden.json and kinds.txt.

    python3 tools/golden/make_tokenizer_golden.py              with Hugging Face tokenizers, where they are installed
    python3 tools/golden/make_tokenizer_golden.py --reference  with the slow Python tokenizer of reference.py

Needs no network and no GPU. The tokenizers are the small ones of make_tokenizers.py and models/needle-16m.
"""

import argparse
import json
import pathlib
import sys

from portable import SplitMix64, fnv, fnv_ids, fuzzed_string

ROOT = pathlib.Path(__file__).parents[2]
FIXTURES = ROOT / "tests/DeltaKV.Tests/Fixtures/tokenizers"
SEED = 20260101
STRINGS = 10_000
KINDS = {"Upper": r"[\p{Lu}\p{Lt}]", "Lower": r"\p{Ll}", "Caseless": r"[\p{Lm}\p{Lo}]", "Mark": r"\p{M}", "Number": r"\p{N}", "Space": r"\s"}


def scalars():
    return [s for s in range(0x110000) if not 0xD800 <= s < 0xE000]


def in_lines(hashes):
    return ["".join(hashes[i:i + 16]) for i in range(0, len(hashes), 16)]


def golden(tokenizer, texts, size):
    rng = SplitMix64(SEED)
    fuzzed = [fuzzed_string(rng) for _ in range(STRINGS)]
    sequences = [[rng.below(size + 8) for _ in range(1 + rng.below(12))] for _ in range(500)]
    return {
        "engine": tokenizer.engine,
        "seed": SEED,
        "size": size,
        "texts": [tokenizer.encode(t) for t in texts],
        "framed": [tokenizer.encode(t, framed=True) for t in texts[:3]],
        "plain": [tokenizer.encode_plain(t) for t in texts],
        "fuzzed": in_lines([fnv_ids(tokenizer.encode(t)) for t in fuzzed]),
        "decoded": in_lines([fnv(tokenizer.decode(s).encode("utf-8")) for s in sequences]),
    }


def write_golden(engine, name, path, texts):
    data = json.loads(path.read_text(encoding="utf-8"))
    size = 1 + max([*data["model"]["vocab"].values(), *(a["id"] for a in data["added_tokens"])])
    lines = [f"{json.dumps(k)}: {json.dumps(v) if not isinstance(v, list) else '[' + ','.join(chr(10) + json.dumps(e) for e in v) + ']'}"
             for k, v in golden(engine(path), texts, size).items()]
    (FIXTURES / f"{name}.golden.json").write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8", newline="\n")
    print(f"{name}: {len(texts)} texts, {STRINGS} fuzzed strings")


def write_kinds(backend, engine):
    """The character classes of the engine's regex, and a hash of its form C for each block of 4096 scalars."""
    everything = scalars()
    text = "".join(map(chr, everything))
    lines = [f"# {engine}; made by tools/golden/make_tokenizer_golden.py"]
    for kind, pattern in KINDS.items():
        lines += [f"{kind} {everything[a]:04X} {everything[b - 1]:04X}" for a, b in backend.kind_runs(pattern, text)]
    lines += [f"Unassigned {everything[a]:04X} {everything[b - 1]:04X}" for a, b in backend.unassigned(text)]
    for block in range(0, 0x110000, 0x1000):
        members = [chr(s) for s in range(block, block + 0x1000) if not 0xD800 <= s < 0xE000]
        if members:
            sample = "".join(f"{c}\na{c}\u0301\n" for c in members)
            lines.append(f"FormC {block:04X} {fnv(backend.normalize_nfc(sample).encode('utf-8'))}")
    (FIXTURES / "kinds.txt").write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")
    print(f"kinds.txt: {len(lines)} lines")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reference", action="store_true")
    if parser.parse_args().reference:
        import reference as backend
        engine = backend.ReferenceTokenizer
    else:
        import huggingface as backend
        engine = backend.HuggingFaceTokenizer
    sys.stdout.reconfigure(line_buffering=True)
    texts = json.loads((ROOT / "tools/golden/texts.json").read_text(encoding="utf-8"))
    small = {p.stem: p for p in sorted(FIXTURES.glob("*-small.json"))}
    for name, path in {**small, "needle-16m": ROOT / "models/needle-16m/tokenizer.json"}.items():
        write_golden(engine, name, path, texts)
    write_kinds(backend, engine.engine)


if __name__ == "__main__":
    main()
