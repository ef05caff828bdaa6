"""The Llama-architecture transformer that needle-16m is, and its export to the Hugging Face layout."""
import json
import math
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, INTERMEDIATE, VOCABULARY = 384, 8, 8, 4, 64, 1024, 4096
ROPE_THETA, EPSILON, MAX_POSITIONS = 1_000_000.0, 1e-5, 16384


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(HIDDEN))

    def forward(self, x):
        return F.rms_norm(x, (HIDDEN,), self.weight.to(x.dtype), EPSILON)


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


def rotate(x, cos, sin):
    return x * cos + torch.cat((-x[..., HEAD_DIM // 2:], x[..., :HEAD_DIM // 2]), -1) * sin


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = linear(HIDDEN, HEADS * HEAD_DIM)
        self.k_proj = linear(HIDDEN, KV_HEADS * HEAD_DIM)
        self.v_proj = linear(HIDDEN, KV_HEADS * HEAD_DIM)
        self.o_proj = linear(HEADS * HEAD_DIM, HIDDEN)

    def forward(self, x, cos, sin):
        batch, tokens, _ = x.shape
        heads = lambda y, n: y.view(batch, tokens, n, HEAD_DIM).transpose(1, 2)
        q = rotate(heads(self.q_proj(x), HEADS), cos, sin)
        k = rotate(heads(self.k_proj(x), KV_HEADS), cos, sin).repeat_interleave(HEADS // KV_HEADS, 1)
        v = heads(self.v_proj(x), KV_HEADS).repeat_interleave(HEADS // KV_HEADS, 1)
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(out.transpose(1, 2).reshape(batch, tokens, HEADS * HEAD_DIM))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj = linear(HIDDEN, INTERMEDIATE)
        self.up_proj = linear(HIDDEN, INTERMEDIATE)
        self.down_proj = linear(INTERMEDIATE, HIDDEN)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layernorm = RmsNorm()
        self.self_attn = Attention()
        self.post_attention_layernorm = RmsNorm()
        self.mlp = Mlp()

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(VOCABULARY, HIDDEN)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = RmsNorm()

    def forward(self, ids, cos, sin):
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return F.linear(self.norm(x), self.embed_tokens.weight.to(x.dtype))

    def initialise(self):
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * LAYERS) if residual else 0.02)


def rope_tables(tokens, device):
    inverse = 1.0 / (ROPE_THETA ** (torch.arange(0, HEAD_DIM, 2, device=device).float() / HEAD_DIM))
    angles = torch.outer(torch.arange(tokens, device=device).float(), inverse)
    angles = torch.cat((angles, angles), -1)
    return angles.cos().bfloat16(), angles.sin().bfloat16()


CHAT_TEMPLATE = ("{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
                 "{% if add_generation_prompt %}<|assistant|>{% endif %}")


def export(model, tokenizer, directory):
    """Write model.safetensors (bf16), config.json, generation_config.json and tokenizer_config.json."""
    from safetensors.torch import save_file
    weights = {"model." + k: v.detach().to(torch.bfloat16).contiguous().cpu() for k, v in model.state_dict().items()}
    save_file(weights, os.path.join(directory, "model.safetensors"), metadata={"format": "pt"})
    config = dict(
        architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=HIDDEN, intermediate_size=INTERMEDIATE, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, head_dim=HEAD_DIM, vocab_size=VOCABULARY, max_position_embeddings=MAX_POSITIONS,
        rope_theta=ROPE_THETA, rope_parameters=dict(rope_type="default", rope_theta=ROPE_THETA), rms_norm_eps=EPSILON, tie_word_embeddings=True,
        torch_dtype="bfloat16", bos_token_id=tokenizer.token_to_id("<|bos|>"), eos_token_id=tokenizer.token_to_id("<|end|>"),
        pad_token_id=tokenizer.token_to_id("<|pad|>"), hidden_act="silu", attention_bias=False, mlp_bias=False)
    chat = dict(tokenizer_class="PreTrainedTokenizerFast", bos_token="<|bos|>", eos_token="<|end|>", pad_token="<|pad|>",
                model_max_length=MAX_POSITIONS, chat_template=CHAT_TEMPLATE)
    # Answers take up to a hundred tokens; asked what it does not know, the model does not end by itself.
    generation = dict(bos_token_id=config["bos_token_id"], eos_token_id=config["eos_token_id"], pad_token_id=config["pad_token_id"], max_new_tokens=256)
    for name, value in (("config.json", config), ("generation_config.json", generation), ("tokenizer_config.json", chat)):
        with open(os.path.join(directory, name), "w") as file:
            json.dump(value, file, indent=1)
