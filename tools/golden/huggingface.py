"""The same questions as reference.py, answered by Hugging Face tokenizers."""

import tokenizers
from tokenizers import normalizers, pre_tokenizers


class HuggingFaceTokenizer:
    engine = f"tokenizers {tokenizers.__version__}"

    def __init__(self, path):
        self.tokenizer = tokenizers.Tokenizer.from_file(str(path))

    def encode(self, text, framed=False):
        return self.tokenizer.encode(text, add_special_tokens=framed).ids

    def encode_plain(self, text):
        self.tokenizer.encode_special_tokens = True
        ids = self.encode(text)
        self.tokenizer.encode_special_tokens = False
        return ids

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=False)


def normalize_nfc(text):
    return normalizers.NFC().normalize_str(text)


def kind_runs(kind, text):
    """Where the engine's own regex finds the class: Split with 'removed' returns what lies between."""
    split = pre_tokenizers.Split(tokenizers.Regex(f"{kind}+"), "removed")
    runs, at = [], 0
    for _, (start, end) in split.pre_tokenize_str(text):
        if start > at:
            runs.append((at, start))
        at = end
    if at < len(text):
        runs.append((at, len(text)))
    return runs


def unassigned(text):
    """The engine's classes are what counts, whatever Unicode version it has."""
    return []
