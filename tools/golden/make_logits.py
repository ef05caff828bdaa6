"""Small random models of every supported architecture, and the logits Transformers computes for them in float32.

`make_logits.py OUT`: writes OUT/<name>/{config.json, model.safetensors, expected.safetensors}; expected holds `ids` [tokens] int64,
`positions` [n] int64 and `logits` [n, vocabulary] float32. Weights are stored in bf16 and computed on in float32, so an engine that keeps
float32 all the way must agree to rounding. Copy OUT to tests/DeltaKV.Tests/Fixtures/models."""
import json
import os
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

TOKENS, VOCABULARY = 200, 128
BASE = dict(vocab_size=VOCABULARY, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            max_position_embeddings=512, rms_norm_eps=1e-5, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, attention_dropout=0.0)
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=128)
LINEAR = dict(rope_type="linear", rope_theta=10000.0, factor=2.0)
DEFAULT = dict(rope_type="default", rope_theta=10000.0)

MODELS = {
    "llama": dict(model_type="llama", head_dim=64, rope_parameters=DEFAULT),
    "llama31-tied": dict(model_type="llama", head_dim=64, rope_parameters=LLAMA3, tie_word_embeddings=True),
    "llama-linear": dict(model_type="llama", head_dim=96, rope_parameters=LINEAR),
    "mistral": dict(model_type="mistral", head_dim=128, num_attention_heads=8, num_key_value_heads=1, sliding_window=None, rope_parameters=DEFAULT),
    "qwen2": dict(model_type="qwen2", num_attention_heads=1, num_key_value_heads=1, rope_parameters=DEFAULT, use_sliding_window=False),
    "qwen2-yarn": dict(model_type="qwen2", hidden_size=160, num_attention_heads=2, num_key_value_heads=2, rope_parameters=YARN, use_sliding_window=False),
    "qwen3": dict(model_type="qwen3", head_dim=128, rope_parameters=DEFAULT, use_sliding_window=False),
}


def randomise(model):
    """Weights at the scale of a trained model, so that a wrong scale or a dropped term is seen in the logits."""
    generator = torch.Generator().manual_seed(42)
    normal = lambda p: torch.randn(p.shape, generator=generator)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.copy_(1 + 0.1 * normal(parameter))
            elif name.endswith("bias"):
                parameter.copy_(0.3 * normal(parameter))
            elif "embed_tokens" in name:
                parameter.copy_(normal(parameter))
            else:
                parameter.copy_(normal(parameter) * parameter.shape[1] ** -0.5)
            parameter.copy_(parameter.bfloat16().float())


def main():
    out = sys.argv[1]
    for name, options in MODELS.items():
        options = BASE | options
        config = AutoConfig.for_model(options.pop("model_type"), **options)
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
        randomise(model)
        ids = torch.randint(3, VOCABULARY, (TOKENS,), generator=torch.Generator().manual_seed(7))
        with torch.no_grad():
            logits = model(ids[None]).logits[0].float()
        positions = torch.tensor(sorted({0, 1, 2, 63, 64, 65, TOKENS - 1} | set(range(0, TOKENS, 16))))
        directory = os.path.join(out, name)
        model.bfloat16().save_pretrained(directory)
        for extra in ("generation_config.json",):
            if os.path.exists(os.path.join(directory, extra)):
                os.remove(os.path.join(directory, extra))
        save_file(dict(ids=ids, positions=positions, logits=logits[positions].contiguous()), os.path.join(directory, "expected.safetensors"))
        print(name, json.dumps({k: options.get(k) for k in ("head_dim", "rope_parameters")}), f"logits rms {logits.pow(2).mean().sqrt():.3f}")


if __name__ == "__main__":
    main()
