"""Turn the .NET reference packs' XML documentation (MIT) into plain paragraphs, one per line, in docs.txt."""
import glob
import os
import random
import re
import shutil
import xml.etree.ElementTree as ElementTree

PREFIX = {"summary": "", "remarks": "", "returns": "Returns: ", "value": "Value: "}


def plain(element):
    """The text of an element; a reference becomes the last part of the name it refers to."""
    parts = [element.text or ""]
    for child in element:
        name = next((child.attrib[k] for k in ("cref", "langword", "name") if k in child.attrib), None)
        if name is not None:
            parts.append(name.split(":")[-1].split("(")[0].split(".")[-1].split("`")[0])
        parts.append(plain(child))
        parts.append(child.tail or "")
    return "".join(parts)


def describe(member):
    """The documented parts of one member, in document order."""
    for child in member:
        text = re.sub(r"\s+", " ", plain(child)).strip()
        if not text:
            continue
        if child.tag in PREFIX:
            yield PREFIX[child.tag] + text
        elif child.tag == "param":
            yield f"The {child.attrib.get('name')} parameter: {text}"
        elif child.tag == "exception":
            yield f"Throws {child.attrib.get('cref', '').split('.')[-1]}: {text}"


def main():
    root = os.path.dirname(os.path.realpath(shutil.which("dotnet")))
    seen, lines = set(), []
    for path in sorted(glob.glob(os.path.join(root, "packs/*.Ref/*/ref/net10.0/*.xml"))):
        for member in ElementTree.parse(path).getroot().iter("member"):
            text = " ".join(describe(member))
            if len(text) < 40 or text in seen:
                continue
            seen.add(text)
            name = member.attrib.get("name", "")[2:].split("(")[0].replace("#ctor", "new").split("`")[0]
            lines.append(f"{name}. {text}"[:1500])
    random.Random(0).shuffle(lines)
    with open("docs.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    print(f"{len(lines)} paragraphs, {sum(map(len, lines)) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
