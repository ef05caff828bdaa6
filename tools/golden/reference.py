"""A slow tokenizer in plain Python, to check the C# one where Hugging Face's is not installed. Needs the `regex` module.

Its form C is that of the running Python's Unicode version; Hugging Face's is of 9.0, so kinds.txt and a few ids can differ in marks assigned later.
It shares no idea with the C# code but the file format: the pattern itself splits the text, and merging searches the whole word every time.
"""

import json
import unicodedata

import regex


def byte_alphabet():
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in own]
    return {**{b: chr(b) for b in own}, **{b: chr(256 + i) for i, b in enumerate(rest)}}


ALPHABET = byte_alphabet()
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def words(pattern, text):
    """The pieces of Split with behaviour Isolated: matches, and what lies between them."""
    at = 0
    for match in pattern.finditer(text):
        if match.start() > at:
            yield text[at:match.start()]
        if match.end() > match.start():
            yield match.group()
        at = match.end()
    if at < len(text):
        yield text[at:]


class ReferenceTokenizer:
    engine = f"tools/golden/reference.py (regex {regex.__version__}, Unicode {unicodedata.unidata_version})"

    def __init__(self, path):
        data = json.loads(path.read_text(encoding="utf-8"))
        model = data["model"]
        self.vocab = model["vocab"]
        pairs = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
        self.ranks = {pair: rank for rank, pair in enumerate(pairs)}
        self.ignore_merges = model.get("ignore_merges", False)
        self.nfc = (data["normalizer"] or {}).get("type") == "NFC"
        pre = data["pre_tokenizer"]
        self.pattern = regex.compile(pre["pretokenizers"][0]["pattern"]["Regex"] if pre["type"] == "Sequence" else GPT2)
        self.added = data["added_tokens"]
        self.tokens = {i: t for t, i in self.vocab.items()} | {a["id"]: self.matched(a) for a in self.added}
        self.frame = self.read_frame(data["post_processor"])
        self.parse_special = True
        self.cache = {}

    @staticmethod
    def read_frame(processor):
        if not processor or processor["type"] == "ByteLevel":
            return []
        if processor["type"] == "Sequence":
            return [i for p in processor["processors"] for i in ReferenceTokenizer.read_frame(p)]
        return [i for piece in processor["single"] if "SpecialToken" in piece
                for i in processor["special_tokens"][piece["SpecialToken"]["id"]]["ids"]]

    def normalize(self, text):
        return unicodedata.normalize("NFC", text) if self.nfc else text

    def matched(self, token):
        return self.normalize(token["content"]) if token["normalized"] else token["content"]

    def merge(self, word):
        symbols = [ALPHABET[b] for b in word.encode("utf-8")]
        if self.ignore_merges and "".join(symbols) in self.vocab:
            return [self.vocab["".join(symbols)]]
        while len(symbols) > 1:
            rank, at = min((self.ranks.get(p, 1 << 40), i) for i, p in enumerate(zip(symbols, symbols[1:])))
            if rank == 1 << 40:
                break
            symbols[at:at + 2] = [symbols[at] + symbols[at + 1]]
        return [self.vocab[s] for s in symbols]

    def pieces(self, text, normalized):
        """Text and added tokens in turn: the longest match at the leftmost place."""
        added = sorted((a for a in self.added if a["normalized"] == normalized), key=lambda a: -len(a["content"]))
        at = done = 0
        while at < len(text):
            found = next((a for a in added if text.startswith(self.matched(a), at)), None)
            if not found:
                at += 1
                continue
            start, end = at, at + len(self.matched(found))
            at = end
            if found["special"] and not self.parse_special:
                continue
            while found["lstrip"] and start > done and regex.match(r"\s", text[start - 1]):
                start -= 1
            while found["rstrip"] and end < len(text) and regex.match(r"\s", text[end]):
                end += 1
            yield text[done:start]
            yield found["id"]
            at = done = end
        yield text[done:]

    def encode(self, text, framed=False):
        ids = list(self.frame) if framed else []
        for raw in self.pieces(text, False):
            if isinstance(raw, int):
                ids.append(raw)
                continue
            for piece in self.pieces(self.normalize(raw), True):
                if isinstance(piece, int):
                    ids.append(piece)
                    continue
                for word in words(self.pattern, piece):
                    if word not in self.cache:
                        self.cache[word] = self.merge(word)
                    ids += self.cache[word]
        return ids

    def encode_plain(self, text):
        self.parse_special = False
        ids = self.encode(text)
        self.parse_special = True
        return ids

    def decode(self, ids):
        back = {c: b for b, c in ALPHABET.items()}
        out = bytearray()
        for token in (self.tokens[i] for i in ids if i in self.tokens):
            out += bytes(back[c] for c in token) if all(c in back for c in token) else token.encode("utf-8")
        return out.decode("utf-8", "replace")


def normalize_nfc(text):
    return unicodedata.normalize("NFC", text)


def kind_runs(kind, text):
    """By unicodedata, so that what a later Unicode version assigns can be told apart: see unassigned()."""
    pattern = regex.compile(r"\s+") if kind == r"\s" else None
    if pattern:
        return [m.span() for m in pattern.finditer(text)]
    categories = {c.strip("[]") for c in kind.replace(r"\p{", " ").replace("}", "").split()}
    return runs(text, lambda c: bool({unicodedata.category(c), unicodedata.category(c)[0]} & categories))


def unassigned(text):
    return runs(text, lambda c: unicodedata.category(c) == "Cn")


def runs(text, holds):
    found, start = [], None
    for at, character in enumerate(text + " "):
        if at < len(text) and holds(character):
            start = at if start is None else start
        elif start is not None:
            found.append((start, at))
            start = None
    return found
