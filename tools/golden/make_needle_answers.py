"""What Transformers answers with needle-16m: `make_needle_answers.py MODEL FILLER.txt OUT`.

Writes OUT/needle-answers.safetensors: 64 long prompts and the greedy continuation in float32, with the margin between the two best logits of
every step (an engine in bf16 may differ where that margin is within bf16 rounding). All prompts stand end to end in `prompts` (uint16 as
int16), `promptLengths` says where they end; `answers` is [64, 24] padded with -1, `margins` [64, 24]."""
import os
import random
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "train-needle"))
import tasks  # noqa: E402

PROMPTS, NEW_TOKENS = 64, 24


def main():
    directory, filler_path, out = sys.argv[1:4]
    tokenizer = AutoTokenizer.from_pretrained(directory)
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="sdpa").cuda().eval()
    torch.backends.cuda.matmul.allow_tf32 = False
    with open(filler_path, encoding="utf-8") as file:
        lines = [line for line in file.read().split("\n") if line]
    encode = lambda texts: [e.ids for e in tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)]
    filler = lambda rng: encode([rng.choice(lines)])[0]
    rng = random.Random(64)
    kinds = list(tasks.FAMILIES)
    prompts, answers, margins = [], [], []
    while len(prompts) < PROMPTS:
        length = rng.choice((1024, 2048, 3072, 4096, 8192))
        tokens, weights = tasks.build(rng, length, encode, filler, [kinds[len(prompts) % len(kinds)]])
        # cut the document after the assistant mark before its last answer
        end = max(i for i in range(1, len(tokens)) if weights[i] == tasks.ANSWER_WEIGHT and weights[i - 1] != tasks.ANSWER_WEIGHT)
        prompt = [tokenizer.bos_token_id] + tokens[:end]
        with torch.no_grad():
            step = model.generate(torch.tensor([prompt], device="cuda"), max_new_tokens=NEW_TOKENS, do_sample=False, output_logits=True,
                                  return_dict_in_generate=True, pad_token_id=0)
        answer = step.sequences[0, len(prompt):].tolist()
        best = torch.stack([s[0].float().topk(2).values for s in step.logits])
        pad = NEW_TOKENS - len(answer)
        prompts.append(prompt)
        answers.append(answer + [-1] * pad)
        margins.append((best[:, 0] - best[:, 1]).tolist() + [0.0] * pad)
    save_file(dict(
        prompts=torch.tensor(sum(prompts, []), dtype=torch.int16),
        promptLengths=torch.tensor([len(p) for p in prompts]),
        answers=torch.tensor(answers), margins=torch.tensor(margins)), os.path.join(out, "needle-answers.safetensors"))
    print(f"{PROMPTS} prompts, {sum(map(len, prompts))} tokens")


if __name__ == "__main__":
    main()
