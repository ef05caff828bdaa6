"""What the golden scripts and the C# tests share: a random generator and the fuzzed strings made with it.

tests/DeltaKV.Tests/Tokenization/FuzzedStrings.cs is the same program; change both or neither.
"""

MASK = (1 << 64) - 1

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
LINE_BREAKS = ["\n", "\r\n", "\n\n", " \n", "\n ", "\r"]
CONTRACTIONS = ["'s", "'T", "'re", "'VE", "'m", "'LL", "'d", "'\u017f", "'x", "\u2019s"]
EMOJI = ["\U0001F600", "\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466", "\U0001F3F3\uFE0F\u200D\U0001F308",
         "\U0001F44D\U0001F3FD", "\u2764\uFE0F", "\U0001F1E9\U0001F1EA", "1\uFE0F\u20E3"]
WHITESPACE = ["\t", "\u00A0", "\u2003", "\u3000", "\u0085", "\u200B", "\uFEFF", "\u2028", "\u000B", "\u001C"]
SPECIALS = ["<|end|>", "<|user|>", "<|begin_of_text|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "<|", "|>", " <mask> ", "<|im_end|>>", "caf\u00E9!"]
SCRIPTS = [0x0590, 0x0600, 0x0900, 0x0E00, 0x1780, 0x10400, 0x1D400, 0x1E900]


class SplitMix64:
    def __init__(self, seed):
        self.state = seed & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, bound):
        return self.next() % bound


def many(rng, most, first, count):
    return "".join(chr(first + rng.below(count)) for _ in range(1 + rng.below(most)))


def fragment(rng):
    kind = rng.below(17)
    if kind == 0:
        word = many(rng, 10, 0x61, 26)
        return word[0].upper() + word[1:] if rng.below(4) == 0 else word
    if kind == 1:
        return " " * (1 + rng.below(4))
    if kind == 2:
        return many(rng, 6, 0x30, 10)
    if kind == 3:
        return "".join(PUNCTUATION[rng.below(len(PUNCTUATION))] for _ in range(1 + rng.below(3)))
    if kind == 4:
        return LINE_BREAKS[rng.below(len(LINE_BREAKS))]
    if kind == 5:
        return CONTRACTIONS[rng.below(len(CONTRACTIONS))]
    if kind == 6:
        return many(rng, 6, 0xC0, 0x440)
    if kind == 7:
        return chr(0x61 + rng.below(26)) + many(rng, 3, 0x300, 0x70)
    if kind == 8:
        return many(rng, 4, 0x4E00, 0x51A0)
    if kind == 9:
        return many(rng, 3, 0x20000, 0xA6D0)
    if kind == 10:
        return EMOJI[rng.below(len(EMOJI))]
    if kind == 11:
        return chr(0x1100 + rng.below(19)) + chr(0x1161 + rng.below(21)) + many(rng, 2, 0x11A8, 27)
    if kind == 12:
        return WHITESPACE[rng.below(len(WHITESPACE))]
    if kind == 13:
        scalar = rng.below(0xF800)
        return chr(scalar if scalar < 0xD800 else scalar + 0x800)
    if kind == 14:
        return chr(0x10000 + rng.below(0x100000))
    if kind == 15:
        return SPECIALS[rng.below(len(SPECIALS))]
    return many(rng, 5, SCRIPTS[rng.below(len(SCRIPTS))], 0x80)


def fuzzed_string(rng):
    return "".join(fragment(rng) for _ in range(1 + rng.below(12)))


def fnv(data):
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{value:08x}"


def fnv_ids(ids):
    return fnv(b"".join(i.to_bytes(4, "little") for i in ids))
