"""Writes src/DeltaKV/Tokenization/Normalization/canonical.txt: what Unicode normalisation form C needs, from Python's unicodedata.

Run it with Python 3.6, from anywhere:  python3.6 tools/unicode/make_canonical_data.py
Its unicodedata is of Unicode 9.0, as is the normaliser of Hugging Face's tokenizers (0.23.2, seen over all scalars: kinds.txt of the golden set).
Later versions would reorder combining marks that were unassigned then, and so give other ids.
"""

import pathlib
import unicodedata

HANGUL = range(0xAC00, 0xD7A4)
OUT = pathlib.Path(__file__).parents[2] / "src/DeltaKV/Tokenization/Normalization/canonical.txt"


def decomposition(scalar):
    mapping = unicodedata.decomposition(chr(scalar))
    return mapping.split() if mapping and not mapping.startswith("<") else None


def main():
    scalars = [s for s in range(0x110000) if not 0xD800 <= s < 0xE000 and s not in HANGUL]
    lines = [
        f"# Canonical data of Unicode {unicodedata.unidata_version}; made by tools/unicode/make_canonical_data.py.",
        "# C <first> <last> <canonical combining class>",
        "# D <character> <first> [<second>] [*]     a one-step decomposition; * when the pair composes again",
    ]
    start = None
    for scalar in scalars:
        combining = unicodedata.combining(chr(scalar))
        if combining and start and start[1] == combining and start[2] == scalar - 1:
            start[2] = scalar
            continue
        if start:
            lines.append(f"C {start[0]:04X} {start[2]:04X} {start[1]}")
        start = [scalar, combining, scalar] if combining else None
    for scalar in scalars:
        parts = decomposition(scalar)
        if not parts:
            continue
        text = "".join(chr(int(p, 16)) for p in parts)
        composes = len(parts) == 2 and unicodedata.normalize("NFC", text) == chr(scalar)
        lines.append(f"D {scalar:04X} {' '.join(parts)}{' *' if composes else ''}")
    with OUT.open("w", encoding="ascii", newline="\n") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{OUT}: {len(lines)} lines")


if __name__ == "__main__":
    main()
