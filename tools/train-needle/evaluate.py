"""Teacher-forced exact match of a model directory through Transformers: `evaluate.py DIRECTORY [FILLER.txt]`."""
import random
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import tasks

LENGTHS, DOCUMENTS = (2048, 4096, 8192, 16000), 8


def main():
    directory, filler_path = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "docs.txt"
    tokenizer = AutoTokenizer.from_pretrained(directory)
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.bfloat16, attn_implementation="sdpa").cuda().eval()
    with open(filler_path, encoding="utf-8") as file:
        lines = [line for line in file.read().split("\n") if line]
    encode = lambda texts: [e.ids for e in tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)]
    filler = lambda rng: encode([rng.choice(lines)])[0]
    rng = random.Random(4242)
    for length in LENGTHS:
        row = []
        for kind in tasks.FAMILIES:
            correct = total = 0
            for _ in range(DOCUMENTS):
                tokens, weights = tasks.build(rng, length, encode, filler, [kind])
                tokens, weights = [tokenizer.bos_token_id] + tokens, [0.0] + weights
                with torch.no_grad():
                    predicted = model(torch.tensor([tokens[:-1]], device="cuda")).logits.argmax(-1)[0].tolist()
                hits, asked = tasks.exact_matches(predicted, tokens, weights)
                correct, total = correct + hits, total + asked
            row.append(f"{kind} {correct / max(1, total):.3f} ({total})")
        print(f"{length:>6} tokens  " + "  ".join(row), flush=True)


if __name__ == "__main__":
    main()
