"""Train needle-16m: `train.py prepare` makes the tokenizer and the filler ids, `train.py train ...` one stage of training. See README.md."""
import argparse
import math
import os
import random
import shutil
import time

import numpy as np
import torch
import torch.nn.functional as F

import model as needle
import tasks

SPECIAL = ["<|pad|>", "<|bos|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>"]
# Qwen2's pre-tokenizer: single digits, words with one leading non-letter, runs of punctuation and of white space.
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DATA = "data"


def load_tokenizer():
    from tokenizers import Tokenizer
    return Tokenizer.from_file(f"{DATA}/tokenizer.json")


def prepare():
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    os.makedirs(DATA, exist_ok=True)
    with open("docs.txt", encoding="utf-8") as file:
        lines = file.read().split("\n")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    rng = random.Random(1)
    synthetic = []
    for _ in range(400):
        notes, questions = tasks.facts(rng, 60, tasks.TRAINING_MIX)
        synthetic.append(" ".join(notes + [text for q, a, _ in questions for text in (q, a)]))
    tokenizer.train_from_iterator(lines[:20000] + synthetic, trainers.BpeTrainer(
        vocab_size=needle.VOCABULARY, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.save(f"{DATA}/tokenizer.json")
    encodings = tokenizer.encode_batch(lines)
    np.save(f"{DATA}/ids.npy", np.concatenate([np.array(e.ids, dtype=np.uint16) for e in encodings]))
    np.save(f"{DATA}/offsets.npy", np.cumsum([0] + [len(e.ids) for e in encodings]))


class Documents(torch.utils.data.IterableDataset):
    """Endless windows of packed documents: half of them fill the window, the rest are shorter, log-uniformly."""

    def __init__(self, length, seed):
        self.length, self.seed = length, seed
        self.tokenizer = load_tokenizer()
        self.ids, self.offsets = np.load(f"{DATA}/ids.npy"), np.load(f"{DATA}/offsets.npy")

    def encode(self, texts):
        return [e.ids for e in self.tokenizer.encode_batch(texts)]

    def filler(self, rng):
        i = rng.randrange(len(self.offsets) - 1)
        return self.ids[self.offsets[i]:self.offsets[i + 1]].tolist()

    def __iter__(self):
        rng = random.Random(self.seed * 1000 + torch.utils.data.get_worker_info().id)
        bos = self.tokenizer.token_to_id("<|bos|>")
        while True:
            tokens, weights = [], []
            while len(tokens) < self.length + 1:
                length = self.length if rng.random() < 0.5 else int(math.exp(rng.uniform(math.log(200), math.log(self.length))))
                document, weight = tasks.build(rng, length, self.encode, self.filler)
                tokens += [bos] + document
                weights += [0.0] + weight
            yield np.array(tokens[:self.length + 1], dtype=np.int64), np.array(weights[1:self.length + 1], dtype=np.float32)


def learning_rate(options, step, fraction):
    """Linear warm-up (100 steps, 20 when resuming), then a cosine down to the final share."""
    warm = min(1.0, (step + 1) / (20 if options.resume else 100))
    return options.lr * warm * (options.final_lr + (1 - options.final_lr) * 0.5 * (1 + math.cos(math.pi * fraction)))


def train(options):
    os.makedirs(options.out, exist_ok=True)
    torch.manual_seed(0)
    net = needle.Model().cuda()
    net.initialise()
    if options.resume:
        from safetensors.torch import load_file
        net.load_state_dict({k.removeprefix("model."): v.float() for k, v in load_file(options.resume).items()})
    decayed = [p for p in net.parameters() if p.dim() == 2]
    plain = [p for p in net.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW([dict(params=decayed, weight_decay=0.05), dict(params=plain, weight_decay=0.0)],
                                  lr=options.lr, betas=(0.9, 0.95), fused=True)
    cos, sin = needle.rope_tables(options.sequence, "cuda")
    batch = max(1, options.tokens // options.sequence)
    documents = Documents(options.sequence, seed=5007 if options.resume else 7)
    data = iter(torch.utils.data.DataLoader(documents, batch_size=batch, num_workers=options.workers, prefetch_factor=4, pin_memory=True,
                                            multiprocessing_context="fork"))

    def loss_of(x, y, w):
        losses = F.cross_entropy(net(x, cos, sin).float().view(-1, needle.VOCABULARY), y.reshape(-1), reduction="none").view_as(y)
        answers = w == tasks.ANSWER_WEIGHT
        return (losses * w).sum() / w.sum(), (losses.detach() * answers).sum() / answers.sum()

    compiled = torch.compile(loss_of)
    budget, started, step = options.minutes * 60, None, 0
    while started is None or time.time() - started < budget:
        fraction = 0.0 if started is None else min(1.0, (time.time() - started) / budget)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(options, step, fraction)
        ids, weights = (t.cuda(non_blocking=True) for t in next(data))
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss, answer_loss = compiled(ids[:, :-1].contiguous(), ids[:, 1:].contiguous(), weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step == 5:  # compilation is done: the clock starts
            torch.cuda.synchronize()
            started = time.time()
        if step % 100 == 0:
            rate = (step - 5) * batch * options.sequence / (time.time() - started) / 1e3
            print(f"step {step} loss {loss.item():.3f} answers {answer_loss.item():.3f} {rate:.0f} ktok/s", flush=True)
    needle.export(net, documents.tokenizer, options.out)
    shutil.copy(f"{DATA}/tokenizer.json", options.out)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare")
    stage = commands.add_parser("train")
    stage.add_argument("--minutes", type=float, required=True)
    stage.add_argument("--sequence", type=int, required=True, help="tokens per window")
    stage.add_argument("--tokens", type=int, default=131072, help="tokens per step")
    stage.add_argument("--lr", type=float, required=True)
    stage.add_argument("--final-lr", type=float, required=True, help="share of --lr at the end")
    stage.add_argument("--resume", help="a model.safetensors to start from")
    stage.add_argument("--workers", type=int, default=14)
    stage.add_argument("--out", required=True)
    options = parser.parse_args()
    prepare() if options.command == "prepare" else train(options)


if __name__ == "__main__":
    main()
