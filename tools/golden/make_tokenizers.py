"""Trains the small tokenizers of the golden set: one for each pre-tokenizer and option the library supports.

Run from anywhere, once (the results are committed):  python3 tools/golden/make_tokenizers.py     needs the `regex` module.
The text is tools/golden/texts.json and this repository's C#, Python and Markdown files.
"""

import collections
import json
import pathlib

import regex

from reference import ALPHABET, GPT2, words

ROOT = pathlib.Path(__file__).parents[2]
OUT = ROOT / "tests/DeltaKV.Tests/Fixtures/tokenizers"

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + TAIL
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + TAIL
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
PREFIX = r"[^\r\n\p{L}\p{N}]?"
TEKKEN = (PREFIX + UPPER + "*" + LOWER + "+|" + PREFIX + UPPER + "+" + LOWER
          + r"*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def corpus():
    texts = json.loads((ROOT / "tools/golden/texts.json").read_text(encoding="utf-8"))
    files = sorted(p for pattern in ("src/**/*.cs", "tools/**/*.py", "*.md") for p in ROOT.glob(pattern) if "/obj/" not in str(p))
    return texts * 3 + [p.read_text(encoding="utf-8") for p in files]


def train(pattern, merge_count):
    counts = collections.Counter()
    for text in corpus():
        counts.update(words(regex.compile(pattern), text))
    sequences = [([ALPHABET[b] for b in word.encode("utf-8")], count) for word, count in counts.items()]
    merges = []
    while len(merges) < merge_count:
        pairs = collections.Counter()
        for symbols, count in sequences:
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += count
        best = max(pairs, key=lambda p: (pairs[p], p))
        if pairs[best] < 2:
            break
        merges.append(best)
        for symbols, _ in sequences:
            at = 0
            while at + 1 < len(symbols):
                if (symbols[at], symbols[at + 1]) == best:
                    symbols[at:at + 2] = [best[0] + best[1]]
                at += 1
    return merges


def added(identifier, content, special=True, lstrip=False, rstrip=False, normalized=False):
    return {"id": identifier, "content": content, "single_word": False, "lstrip": lstrip, "rstrip": rstrip,
            "normalized": normalized, "special": special}


def split(pattern):
    return {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]}


def byte_level():
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


def template(name, identifier):
    return {"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": name, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {name: {"id": name, "ids": [identifier], "tokens": [name]}}}]}


def write(name, pattern, pre_tokenizer, merge_count, specials, *, normalizer=None, ignore_merges=False, frame=None, pairs=True, whole_words=()):
    merges = train(pattern, merge_count)
    vocab = list(ALPHABET.values()) + ["".join(m) for m in merges]
    vocab = list(dict.fromkeys(vocab + list(whole_words)))
    tokens = [added(len(vocab) + i, **s) for i, s in enumerate(specials)]
    data = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens, "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer, "post_processor": template(frame, next(t["id"] for t in tokens if t["content"] == frame)) if frame else None,
        "decoder": byte_level(),
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": ignore_merges,
                  "vocab": {t: i for i, t in enumerate(vocab)},
                  "merges": [list(m) if pairs else " ".join(m) for m in merges]},
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(data, ensure_ascii=False, indent=0) + "\n", encoding="utf-8", newline="\n")
    print(f"{name}: {len(vocab)} tokens, {len(merges)} merges")


def main():
    # A whole word that no sequence of merges makes shows whether ignore_merges is honoured.
    write("llama3-small", LLAMA3, split(LLAMA3), 1500,
          [dict(content=c) for c in ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")],
          ignore_merges=True, frame="<|begin_of_text|>", pairs=False, whole_words=("Ġzyzzyvas", "qxz"))
    write("qwen2-small", QWEN2, split(QWEN2), 1500,
          [dict(content=c) for c in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")]
          + [dict(content=c, special=False) for c in ("<tool_call>", "</tool_call>", "<|im_end|>>")],
          normalizer={"type": "NFC"})
    write("gpt2-small", GPT2, byte_level(), 800,
          [dict(content="<|endoftext|>"), dict(content="<mask>", lstrip=True), dict(content="<end>", rstrip=True),
           dict(content="cafe\u0301!", special=False, normalized=True)], normalizer={"type": "NFC"})
    write("tekken-small", TEKKEN, split(TEKKEN), 800, [dict(content=c) for c in ("<s>", "</s>", "[INST]", "[/INST]")], frame="<s>", ignore_merges=True)


if __name__ == "__main__":
    main()
