"""Peer: prefill of a Llama-3.1-8B-shaped model through Transformers with SDPA, random weights. Run on a CUDA machine: prefill_transformers.py [LENGTH ...]"""
import sys

import torch
from transformers import LlamaConfig, LlamaForCausalLM

config = LlamaConfig(vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32,
                     num_key_value_heads=8, max_position_embeddings=131072, rope_theta=500000.0, tie_word_embeddings=False)
torch.set_default_dtype(torch.bfloat16)
with torch.device("cuda"):
    model = LlamaForCausalLM._from_config(config, attn_implementation="sdpa").eval()
for length in map(int, sys.argv[1:] or ["8192", "32768"]):
    ids = torch.randint(0, config.vocab_size, (1, length), device="cuda")
    times = []
    for _ in range(5):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        with torch.no_grad():
            start.record()
            model(ids, logits_to_keep=1, use_cache=True)
            end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    ms = sorted(times[1:])[len(times[1:]) // 2]
    print(f"transformers prefill {length}: {ms:.1f} ms, {length / ms:.1f} ktok/s", flush=True)
