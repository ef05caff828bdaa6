"""Conversations for whole templates, and small templates that show one construct each."""


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


def system(text):
    return {"role": "system", "content": text}


def call(name, arguments, identifier="abc123def"):
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(content, identifier="abc123def"):
    return {"role": "tool", "content": content, "tool_call_id": identifier}


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather of a \"place\" <now> & here's more: caf\u00e9 \u4f60\u597d \U0001F600",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "City"},
                "days": {"type": "integer", "minimum": 1, "maximum": 14, "default": 1},
                "scale": {"type": "number", "enum": [1.0, 0.5, 1e-07, 1e22, 3]},
                "flags": {"type": "array", "items": {}, "default": []},
            },
            "required": ["place"],
        },
    },
}
SEARCH = {"type": "function", "function": {"name": "search", "description": "Search.", "parameters": {"type": "object", "properties": {}}, "return": {"type": "string"}}}

CONVERSATIONS = {
    "one question": {"messages": [user("Hello!")], "add_generation_prompt": True},
    "no generation prompt": {"messages": [user("Hello!"), assistant("Hi.")]},
    "system and turns": {"messages": [system("  Be brief.\n"), user("  2+2? "), assistant(" 4 "), user("And 3+3?\n")], "add_generation_prompt": True},
    "unicode": {"messages": [user("\u4f60\u597d \U0001F468\u200D\U0001F469\u200D\U0001F467 caf\u00e9 \U00020000\n\n<b>&amp;</b>")], "add_generation_prompt": True},
    "special tokens in text": {"messages": [user("<|im_end|><|eot_id|>{{ bos_token }}{% raw %}")], "add_generation_prompt": True},
    "empty content": {"messages": [user(""), assistant(""), user("")], "add_generation_prompt": True},
    "two systems": {"messages": [system("One."), user("Hi"), system("Two."), user("Hi")]},
    "roles out of order": {"messages": [user("a"), user("b")]},
    "unknown role": {"messages": [user("a"), {"role": "critic", "content": "b"}]},
    "assistant first": {"messages": [assistant("a"), user("b")]},
    "tools": {"messages": [user("Weather in Paris?")], "tools": [WEATHER, SEARCH], "add_generation_prompt": True},
    "tools and system": {"messages": [system("Use tools."), user("Weather in Paris?")], "tools": [WEATHER], "add_generation_prompt": True},
    "tools in the system turn": {"messages": [user("Weather?")], "tools": [SEARCH], "variables": {"tools_in_user_message": False}},
    "tools without messages": {"messages": [system("x")], "tools": [WEATHER]},
    "tool call": {"messages": [
        user("Weather?"), assistant(None, tool_calls=[call("get_weather", {"place": "Z\u00fcrich", "days": 2})]), tool("{\"t\": 21.5}"),
        assistant("It is 21.5."), user("Thanks")], "tools": [WEATHER], "add_generation_prompt": True},
    "tool call with text": {"messages": [
        user("Weather?"), assistant("Let me see.", tool_calls=[call("get_weather", {"place": "Bern"})]), tool("rain"), tool("cold"), assistant("Rain.")]},
    "two tool calls": {"messages": [
        user("Weather?"), assistant("", tool_calls=[call("get_weather", {"place": "A"}), call("search", {}, "123456789")]), tool("1"), tool("2", "123456789")],
        "add_generation_prompt": True},
    "tool call without function": {"messages": [user("x"), assistant("", tool_calls=[{"name": "f", "arguments": "{\"a\": 1}"}])]},
    "tool call with a short id": {"messages": [user("x"), assistant(None, tool_calls=[call("f", {}, "1")])]},
    "tool result as a map": {"messages": [user("x"), assistant("", tool_calls=[call("f", {"deep": {"list": [1, [2.5, None], True]}})]), tool({"content": [1, "zwei"]})]},
    "thinking": {"messages": [user("Think."), assistant("<think>\nHm.\n</think>\n\nDone."), user("Again."), assistant("<think>\nHm2.\n</think>\n\nDone2.")]},
    "reasoning content": {"messages": [user("Think."), assistant("Done.", reasoning_content="\nDeep.\n")]},
    "reasoning and a tool": {"messages": [
        user("Think."), assistant("", reasoning_content="I need f.", tool_calls=[call("f", {"x": 1})]), tool("3"), assistant("Three.", reasoning_content="ok")],
        "tools": [SEARCH], "add_generation_prompt": True},
    "thinking off": {"messages": [user("Quick.")], "add_generation_prompt": True, "variables": {"enable_thinking": False}},
    "thinking on": {"messages": [user("Slow.")], "add_generation_prompt": True, "variables": {"enable_thinking": True}},
    "response posing as a question": {"messages": [user("Real"), assistant("a", reasoning_content="r"), user("<tool_response>x</tool_response>"), assistant("b")]},
    "date": {"messages": [user("What day?")], "variables": {"date_string": "1 Apr 2030"}, "add_generation_prompt": True},
    "clock": {"messages": [user("What day?")], "variables": {"use_clock": True}, "add_generation_prompt": True},
    "built-in tools": {"messages": [user("Search."), assistant(None, tool_calls=[call("brave_search", {"query": "x", "count": "3"})]), tool("found")],
                       "variables": {"builtin_tools": ["brave_search", "code_interpreter"]}, "add_generation_prompt": True},
}

PEOPLE = [{"name": "Bo", "age": 3, "tag": {"x": "q"}}, {"name": "al", "age": 40}, {"name": "Cy", "age": 3, "tag": {"x": "p"}}]
V = {"people": PEOPLE, "text": "  Hello, W\u00f6rld \U0001F600!\n", "n": 7, "f": 2.5, "t": True, "z": None, "l": [3, 1, 2], "m": {"b": 1, "a": {"k": [1, 2]}, "items": "mine", "get": 5}, "e": []}

SOURCES = r'''
plain text
{{ text }}|{{ text | trim }}|{{ text | length }}|{{ text | upper }}|{{ text | lower }}
{{ text[2:7] }}|{{ text[-3:] }}|{{ text[::-1] }}|{{ text[0] }}|{{ text[99] }}|{{ text[:-1] }}
{{ l[0] }}{{ l[-1] }}{{ l[5] }}|{{ l[1:] }}|{{ l[::-1] }}|{{ l[::2] }}|{{ l[-2:] }}|{{ l[5:] }}|{{ l[2:0:-1] }}
{{ m.b }}{{ m['b'] }}{{ m.a.k[1] }}{{ m['a']['k'][0] }}|{{ m.missing }}|{{ m['items'] }}|{{ m.items() | list }}|{{ m.get('b') }}|{{ m.get('q', 'dflt') }}|{{ m.keys() | list }}|{{ m.values() | list }}
{{ missing }}|{{ missing is defined }}|{{ z is none }}|{{ z is defined }}|{{ missing | default('d') }}|{{ z | default('d') }}|{{ z | default('d', true) }}|{{ '' | d('x', boolean=true) }}
{{ missing.attribute }}
{{ missing + 'x' }}
{{ z.attribute }}|{{ z.a is defined }}
{{ z.a.b }}
{{ 1 + 2 * 3 - 4 // 3 % 5 }}|{{ 7 / 2 }}|{{ -7 // 2 }}|{{ -7 % 3 }}|{{ 2 ** 10 }}|{{ 2 ** -1 }}|{{ 1.5 + 1 }}|{{ 6 / 3 }}|{{ (1 + 2) * 3 }}|{{ -n }}|{{ +n }}
{{ 1e3 }}|{{ 1.0 }}|{{ 0.1 + 0.2 }}|{{ 1e16 }}|{{ 1e22 }}|{{ 1.5e-7 }}|{{ 0.0001 }}|{{ 0.00001 }}|{{ 123456789.125 }}|{{ 1_000 }}|{{ 5e-324 }}|{{ 1.7976931348623157e308 }}
{{ 12345678901234567890 }}
{{ true }}{{ True }}{{ false }}{{ none }}{{ None }}|{{ t }}|{{ z }}|{{ not t }}|{{ t and n }}|{{ z or 'else' }}|{{ '' or 0 or [] }}
{{ 'a' ~ 1 ~ none ~ 2.0 ~ [1, 'x'] }}|{{ 'a' 'b' "c" }}
{{ 'a' + 1 }}
{{ 'x' * 3 }}|{{ [1] + [2] }}|{{ (1, 2) + (3,) }}|{{ (1,) }}|{{ () }}|{{ 1, 2 }}
{{ {'a': 1, 'b': [true, none, 'it\'s', "q\"s"], 'c': {}} }}|{{ ['\n', 'tab\t', 'bs\\', '\u00e9', '\u200b', '\x07'] }}
{{ "esc: \n \t \\ \' \" \x41 \u00e9 \U0001F600 \101 \q" }}
{{ 1 < 2 }}|{{ 1 < 2 < 3 }}|{{ 3 > 2 > 2 }}|{{ 'a' < 'b' }}|{{ 1 == 1.0 }}|{{ 1 == true }}|{{ 'a' == 'b' }}|{{ [1, 2] == [1, 2] }}|{{ {'a': 1} == {'a': 1} }}|{{ 1 != 2 }}|{{ (1, 2) == [1, 2] }}
{{ 1 < 'a' }}
{{ 2 in l }}|{{ 9 not in l }}|{{ 'W' in text }}|{{ 'b' in m }}|{{ 'q' not in m }}|{{ n in (1, 7) }}|{{ 'x' in missing }}
{{ 1 in 'abc' }}
{{ 'x' in z }}
{{ 'yes' if t else 'no' }}|{{ 'yes' if z }}|{{ 'a' if z else 'b' if z else 'c' }}|{{ ('y' if n > 5 else 'n') ~ '!' }}
{{ not n == 7 }}|{{ not (n == 7) or t }}|{{ n == 7 and not z }}|{{ not missing is defined }}|{{ n is not none }}|{{ not 1 in l }}
{% if n > 5 %}big{% elif n > 2 %}mid{% else %}small{% endif %}|{% if z %}x{% elif t %}t{% endif %}|{% if e %}full{% else %}empty{% endif %}
{% for x in l %}{{ x }}{{ ',' if not loop.last }}{% endfor %}|{% for x in e %}{{ x }}{% else %}none{% endfor %}
{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }};{% endfor %}
{% for x in l %}{% for y in l %}{{ loop.depth0 }}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}
{% for x in l %}{{ loop.cycle('odd', 'even') }} {% endfor %}
{% for k, v in m.items() %}{{ k }}={{ v }};{% endfor %}|{% for k in m %}{{ k }}{% endfor %}|{% for c in 'h\u00e9\U0001F600' %}{{ c }}.{% endfor %}
{% for p in people if p.age < 10 %}{{ loop.index }}{{ p.name }}{{ loop.last }}{% endfor %}
{% for a, b in [(1, 2), [3, 4]] %}{{ a }}{{ b }}{% endfor %}|{% for (a, b) in [(1, 2)] %}{{ a + b }}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}
{% for x in z %}{% endfor %}
{% for x in missing %}a{% else %}b{% endfor %}
{% for x in range(3) %}{{ x }}{% endfor %}|{% for x in range(1, 7, 2) %}{{ x }}{% endfor %}|{{ range(3, 0, -1) | list }}
{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% set x = 1 %}{{ x }}{% for i in l %}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}
{% set ns = namespace(total=0, s='') %}{% for i in l %}{% set ns.total = ns.total + i %}{% set ns.s = ns.s ~ i %}{% endfor %}{{ ns.total }}{{ ns.s }}{{ ns.nope }}
{% set m.b = 3 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}|{% set c = 1, 2 %}{{ c }}|{% set (d, g) = (3, 4) %}{{ d }}{{ g }}
{% if t %}{% set inner = 'seen' %}{% endif %}{{ inner }}
{% set block %}  body {{ n }} {% endset %}[{{ block }}]|{% set up | upper | trim %} body {% endset %}[{{ up }}]
{% for i in l %}{% set last = i %}{% endfor %}[{{ last }}]
{% macro f(a, b='B', c=n) %}<{{ a }}{{ b }}{{ c }}>{% endmacro %}{{ f('x') }}{{ f('x', 'y') }}{{ f(a=1, c=2) }}{{ f() }}
{% macro deep(k) %}{{ k }}{% if k > 0 %}{{ deep(k - 1) }}{% endif %}{% endmacro %}{{ deep(3) }}|{{ deep(1) | upper | length }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}
{{ undefined_function() }}
{{ n() }}
{{ text.strip() }}|{{ text.lstrip() }}|{{ text.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcab'.lstrip('ab') }}|{{ 'abcab'.rstrip('ab') }}|{{ 'aba'.strip('') }}
{{ 'a,b,,c'.split(',') }}|{{ 'a,b,,c'.split(',', 1) }}|{{ ' a  b '.split() }}|{{ ' a  b c '.split(none, 1) }}|{{ 'a,b,c'.rsplit(',', 1) }}|{{ 'a<t>b<t>c'.split('<t>')[-1] }}|{{ ''.split(',') }}|{{ ''.split() }}
{{ 'abc'.startswith('ab') }}|{{ 'abc'.endswith(('x', 'bc')) }}|{{ 'abc'.startswith('') }}|{{ 'aXbX'.replace('X', '--') }}|{{ 'aXbX'.replace('X', '-', 1) }}|{{ '-'.join(['a', 'b']) }}
{{ 'hello wORLD it\'s'.title() }}|{{ 'hELLO w'.capitalize() }}|{{ 'abcabc'.find('c') }}|{{ 'abcabc'.rfind('c') }}|{{ 'abc'.find('z') }}|{{ 'aaa'.count('a') }}|{{ '\U0001F600b'.find('b') }}
{{ '12'.isdigit() }}|{{ 'ab'.isalpha() }}|{{ ' '.isspace() }}|{{ ''.isdigit() }}|{{ 'prefix-x'.removeprefix('prefix-') }}|{{ 'x.txt'.removesuffix('.txt') }}|{{ 'a\nb\r\nc\n'.splitlines() }}
{{ 'abc'.upper() }}{{ 'ABC'.lower() }}|{{ 'abc'.nope }}|{{ [1, 2, 1].count(1) }}|{{ [1, 2].index(2) }}
{{ [1, 2].index(3) }}
{{ 'abc'.nope() }}
{{ l | first }}{{ l | last }}{{ e | first }}{{ e | last }}|{{ l | length }}{{ l | count }}{{ m | length }}|{{ 'abc' | first }}{{ 'abc' | last }}|{{ missing | length }}{{ missing | first }}
{{ n | length }}
{{ l | join }}|{{ l | join(', ') }}|{{ people | join('-', attribute='name') }}|{{ [1, none, 'x', 2.0] | join('/') }}|{{ 'abc' | join('.') }}
{{ people | map(attribute='name') | list }}|{{ people | map(attribute='tag.x', default='-') | list }}|{{ ['a', 'b'] | map('upper') | list }}|{{ [[1, 2], [3]] | map('join', '+') | list }}
{{ people | selectattr('tag') | map(attribute='name') | join }}|{{ people | selectattr('age', 'equalto', 3) | map(attribute='name') | join }}|{{ people | rejectattr('age', 'gt', 5) | list | length }}|{{ people | selectattr('tag', 'defined') | list | length }}|{{ people | rejectattr('tag') | map(attribute='name') | join }}
{{ l | select('odd') | list }}|{{ l | reject('equalto', 1) | list }}|{{ [0, 1, '', 'a', none] | select | list }}|{{ [1, 'a', none] | select('string') | list }}|{{ l | select('>', 1) | list }}|{{ l | select('in', [1, 2]) | list }}
{{ l | sort }}|{{ l | sort(reverse=true) }}|{{ ['b', 'A', 'c'] | sort }}|{{ people | sort(attribute='name') | map(attribute='name') | join }}|{{ ['b', 'A'] | sort(case_sensitive=true) }}|{{ l | reverse | list }}|{{ 'abc' | reverse }}
{{ [1, 2, 1, 'a', 'A'] | unique | list }}|{{ l | sum }}|{{ people | sum(attribute='age') }}|{{ l | max }}{{ l | min }}|{{ {'b': 1, 'A': 2} | dictsort }}|{{ -3 | abs }}{{ (-3) | abs }}
{{ m | items | list }}|{{ missing | items | list }}
{{ l | items | list }}
{{ m | list }}|{{ 'ab' | list }}|{{ (1, 2) | list }}|{{ 5 | string ~ 'x' }}|{{ '42' | int + 1 }}|{{ 'x' | int }}|{{ 'x' | int(5) }}|{{ '3.7' | int }}|{{ 3.9 | int }}|{{ '2.5' | float }}|{{ 'x' | float }}|{{ 3 | float }}
{{ 'a\nb\n\nc' | indent }}|{{ 'a\nb' | indent(2, true) }}|{{ 'a\n\nb' | indent(2, blank=true) }}|{{ 'a\nb\n' | indent('> ') }}
{{ 'aXb' | replace('X', 'y') }}|{{ 'hello world' | title }}|{{ 'hello World' | capitalize }}|{{ '<b>' | safe }}|{{ z | trim }}|{{ 'xax' | trim('x') }}|{{ z | string }}|{{ z | upper }}
{{ m | tojson }}|{{ l | tojson }}|{{ text | tojson }}|{{ z | tojson }}{{ t | tojson }}{{ n | tojson }}{{ f | tojson }}|{{ (1, 2) | tojson }}|{{ {} | tojson }}{{ [] | tojson }}
{{ m | tojson(indent=2) }}|{{ e | tojson(indent=2) }}|{{ {'a': {}, 'b': []} | tojson(indent=4) }}|{{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }}|{{ [1, {'a': 2}] | tojson(separators=(',', ':')) }}
{{ text | tojson(ensure_ascii=true) }}|{{ '<a href="x">&\'</a>\u2028\u007f\u0001' | tojson }}|{{ '\x7f\u0080\uffff' | tojson(ensure_ascii=true) }}|{{ 1e22 | tojson }}{{ 1.0 | tojson }}{{ 1e-7 | tojson }}|{{ {'a': 1} | tojson(indent=0) }}|{{ [1] | tojson(indent='\t') }}
{{ missing | tojson }}
{{ namespace() | tojson }}
{{ 'a' is string }}{{ n is string }}{{ n is number }}{{ n is integer }}{{ f is float }}{{ t is boolean }}{{ t is number }}{{ t is integer }}{{ m is mapping }}{{ l is mapping }}{{ l is iterable }}{{ 'a' is iterable }}{{ n is iterable }}{{ l is sequence }}{{ m is sequence }}{{ m is iterable }}{{ missing is iterable }}
{{ t is true }}{{ n is true }}{{ z is false }}{{ false is false }}{{ 3 is odd }}{{ 3 is even }}{{ 9 is divisibleby 3 }}{{ 9 is divisibleby(2) }}{{ 1 is eq 1 }}{{ 1 is ne(1) }}{{ 2 is gt 1 }}{{ 2 is in [1, 2] }}{{ n is not string }}{{ none is none }}{{ z is sameas none }}{{ 'a' is lower }}{{ 'A' is upper }}
{{ n is defined and n is number or false }}{{ (n is number) ~ 'y' }}{{ 'x' if n is number else 'y' }}
{{ n is number if t else 'x' }}
{{ n is number is true }}
{{ raise_exception('stop here') }}
{% if false %}{{ raise_exception('no') }}{% endif %}fine
{{ strftime_now('%d %b %Y') }}|{{ strftime_now('%A %B %-d, %H:%M:%S %p %I %j %y %m %% %a %F %e') }}
{{ dict(a=1, b='x') }}|{{ dict({'q': 2}, r=3) }}
{# comment #}a{#- c -#}  b  {#+ c +#}
a  {%- if true -%}  b  {%- endif -%}  c
a  {{- ' b ' -}}  c
{% raw %}{{ not }} {% evaluated %}{% endraw %}|  {%- raw -%}  x  {%- endraw -%}  y
{% filter upper %}a{{ n }}b{% endfilter %}|{% filter trim | replace('a', 'b') %} aa {% endfilter %}
{% generation %}assistant text {{ n }}{% endgeneration %}
{{ {'a': {'b': {}}} }}|{{ {'a': [1, {'b': 2}]}['a'][1]['b'] }}|{{ [[1, 2], [3]][0][1] }}|{{ {'x': 1}.x }}
{{ people[0].name ~ people[-1]['name'] }}|{{ people[0].tag.x }}|{{ people[1].tag is defined }}|{{ people | length - 1 }}|{{ (people | length - 1) - 1 }}
{{ 'a' if people[1].tag else 'b' }}|{{ people[0]['na' ~ 'me'] }}|{{ m['a'].k | last }}|{{ m.a.k.0 }}
{{ -n | abs }}|{{ n | string | length }}|{{ 'a' ~ 'b' | upper }}|{{ not z | default(true) }}|{{ 1 + 2 | string | length }}
{{ m.update({'c': 1}) }}
{{ l.append(4) }}
{{ l | nofilter }}
{{ l is notest }}
{% include 'x' %}
{% unknown %}
{% if t %}unclosed
{% for x in l %}{{ x }}
{{ n
{{ 'abc }}
{% endif %}
{{ 1 / 0 }}
{{ 1 % 0 }}
{{ (1 }}
{{ n n }}
{{ }}
{% set = 3 %}
{% set x %}
{% for in l %}{% endfor %}
{{ f(*l) }}
{% break %}
{{ 'a'.split('') }}
{{ range(1000000) | length }}
{# unclosed
{{ l[0:1:0] }}
{{ "%s" | string }}{{ '50%' }}
{{ loop }}|{{ loop is defined }}
{{ n.real_missing }}|{{ t.x is defined }}|{{ f['k'] is defined }}
'''



MULTILINE = [
    "{% if t %}\n  yes\n{% endif %}\nend\n",
    "{% for x in l %}\n  - {{ x }}\n{% endfor %}\n",
    "  {% if t %}\n    {{ n }}\n  {% endif %}\n  tail\n\n",
    "a\n   {%- if t %}  b\n   {%- endif %}\n c",
    "{%+ if t %}\n x\n  {%+ endif +%}\n y",
    "{{ n }}\n{{ n }}\n",
    "\n\n{{ n }}\n\n\n",
    "a\r\nb\rc\n{% if t %}\r\nd{% endif %}\r\n",
    "{# comment #}\n  {# another #}\nx {# third #} \ny",
    "x {# c -#}\n   y\n  {#- d #}\n z",
    "  {{- n }}  \n  {{ n -}}  \n  {{ n }}",
    "\t{% set q = 1 %}\n\t{{ q }}{% set r = 2 %}  {% set s = 3 %}\nend",
    "{% macro f(a) %}\n  [{{ a }}]\n{% endmacro %}\n{{ f(1) }}\n{{- f(2) }}",
    "{% set b %}\n line\n{% endset %}\n<{{ b }}>",
    "{% raw %}\n  {{ x }}\n{% endraw %}\nend",
    "  {% raw %}  {% x %}\n  {% endraw %}\n  end",
    "{%- for m in people -%}\n  {{- m.name }}\n  {%- if not loop.last %}\n    {{- ', ' }}\n  {%- endif %}\n{%- endfor -%}\n.",
    "{{ {\n 'a': 1,\n 'b': [\n 1,\n 2,\n ],\n} | tojson }}",
    "{% if n\n > 3\n and t %}\nok\n{% endif %}",
    "{% if t %}{% endif %}\n  {% if t %}{% endif %}  \nx",
    "a {% if t -%}   \n\n  b{% endif %}",
    "line one\n\n\n   {%- set x = 3 -%}   \n\n line two",
    "\u2003{% if t %}\u00a0x{% endif %}\n\u00a0{%- if t %}y{% endif %}",
    "{% generation %}\nanswer\n{% endgeneration %}\nafter",
    "{{ 'multi\nline' }}|{{ 'cont\\\ninued' }}",
    "",
    "\n",
    "{{ '}}' }}{{ '%}' }}{{ \"{{\" }}",
    "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}\n{{ x }}\n{% else %}\nnone\n{% endfor %}",
    "{{ n }}{% if t %}\n{% if z %}\nA\n{% else %}\nB\n{% endif %}\n{% endif %}\nC",
]

CONSTRUCTS = [(line, V) for line in SOURCES.strip("\n").split("\n")] + [(source, V) for source in MULTILINE]
