"""Writes what chat templates must render to: tests/DeltaKV.Tests/Fixtures/templates/{conversations,constructs}.json.

    python3 tools/golden/make_template_golden.py [--templates FOLDER --out FILE]

Needs jinja2 only; where transformers is installed its own renderer is used, otherwise the same environment is set up here.
With --templates the conversations are run through other *.jinja files (real models' templates, say) into another file.
"""

import argparse
import datetime
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

from template_cases import CONSTRUCTS, CONVERSATIONS

ROOT = pathlib.Path(__file__).parents[2]
FIXTURES = ROOT / "tests/DeltaKV.Tests/Fixtures/templates"
TOKENS = {"bos_token": "<|begin|>", "eos_token": "</s>"}
NOW = datetime.datetime(2024, 3, 5, 14, 7, 9)


class Generation(jinja2.ext.Extension):
    """Hugging Face's {% generation %}, without the tracking."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("render"), [], [], body).set_lineno(line)

    def render(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def own_environment():
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    return environment


def compiler():
    """A function from source to template, and who it is."""
    try:
        import transformers
        from transformers.utils.chat_template_utils import _compile_jinja_template
    except ImportError:
        return own_environment().from_string, f"jinja2 {jinja2.__version__}"
    return _compile_jinja_template, f"transformers {transformers.__version__}, jinja2 {jinja2.__version__}"


def render(compile_template, source, case):
    variables = {
        **TOKENS, "messages": case["messages"], "tools": case.get("tools"), "documents": None,
        "add_generation_prompt": case.get("add_generation_prompt", False), **case.get("variables", {})}
    try:
        template = compile_template(source)
        template.globals["strftime_now"] = NOW.strftime
        return {"expected": template.render(**variables)}
    except Exception as error:  # Whatever the reason, the C# must refuse as well.
        return {"error": f"{type(error).__name__}: {error}"}


def write(path, engine, cases):
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    path.write_text(f'{{"engine": {json.dumps(engine)}, "now": "{NOW.isoformat()}", "tokens": {json.dumps(TOKENS)}, "cases": [\n{lines}\n]}}\n',
                    encoding="ascii", newline="\n")
    errors = sum("error" in case for case in cases)
    print(f"{path}: {len(cases)} cases, {errors} of them errors")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--templates", type=pathlib.Path, default=FIXTURES)
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    compile_template, engine = compiler()

    sources = {p.name: p.read_text(encoding="utf-8") for p in sorted(arguments.templates.glob("*.jinja"))}
    sources["needle-16m"] = json.loads((ROOT / "models/needle-16m/tokenizer_config.json").read_text())["chat_template"]
    cases = [{"name": f"{file}: {name}", "template": file, **case, **render(compile_template, source, case)}
             for file, source in sources.items() for name, case in CONVERSATIONS.items()]
    write(arguments.out or FIXTURES / "conversations.json", engine, cases)
    if arguments.out:
        return

    cases = [{"name": source, "source": source, "messages": [], "variables": variables,
              **render(compile_template, source, {"messages": [], "variables": variables})} for source, variables in CONSTRUCTS]
    write(FIXTURES / "constructs.json", engine, cases)


if __name__ == "__main__":
    main()
