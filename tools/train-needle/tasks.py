"""Long documents with dense question turns: facts scattered through filler and asked about later, so that almost every answer token
needs a long-range look-up. Pure text, no downloads."""
import random

ADJECTIVES = """amber ancient arctic autumn azure bitter blazing bold brass brave bright broken bronze calm carved clever coastal cobalt copper
coral crimson crystal curious distant dusty eager early electric elder emerald faded fierce floral foggy forgotten frozen gentle gilded glass golden
granite hidden hollow humble icy indigo iron ivory jade jolly keen lively lonely lucky lunar marble mellow misty modest mossy narrow noble northern
opal orange pale patient plain polar proud quiet rapid rustic sacred scarlet secret serene sharp silent silver simple sleepy slender solar solemn
spiral steady stone sturdy sunny swift tidal timber tranquil twin velvet vivid wandering western wild winter wooden yellow young""".split()
NOUNS = """abbey anchor archive arena attic badge balcony barn beacon bell bridge cabin cable camera canal candle canyon castle cavern cellar chapel
clock cottage crane creek crown depot desert dome dock drum eagle engine falcon farm ferry fjord forest forge fountain gallery garden gate glacier
grove hammer harbor harp hill hotel island kettle kiln ladder lagoon lantern library lighthouse locker market meadow mill mine mirror mosaic museum
needle oasis observatory orchard organ otter palace panther pavilion pier pillar pond port prism quarry raven reef reservoir river robot rocket ruin
sail school shrine signal sparrow spring stadium station statue studio summit swan temple terrace theater tower trail tunnel turbine valley vault
viaduct village villa vineyard violin wagon well wharf windmill workshop""".split()
CITIES = """Avelon Bernholt Calder Dunmere Eastvale Farrow Glenport Harwick Istria Jarrow Kelmont Lindale Marrow Norwell Oakden Penrith Quarrel
Redcliff Stonebury Thornby Upwood Valmere Westerly Yarrow Zenith Ashford Brindle Corvale Dellwick Elmstead""".split()
COLORS = "red blue green yellow purple orange pink brown black white gray teal violet maroon beige cyan".split()
ITEMS = """lamp kite drum rope mirror ladder basket kettle compass hammer blanket bottle guitar helmet pencil camera carpet hat vase clock mug chair
sword map coin ring book bell candle whistle""".split()
METALS = "tin zinc lead nickel silver copper iron gold cobalt chrome".split()
ONSETS = "b br c cr d dr f fl g gr h j k kl l m n p pr qu r s sh sk st t th tr v w y z".split()
VOWELS = "a e i o u ai ea oo".split()
CODAS = ["", "n", "l", "r", "s", "t", "m", "k", "th", "nd", "x"]

USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "<|end|>"
ANSWER_WEIGHT, END_WEIGHT, NOTE_WEIGHT = 5.0, 2.0, 0.05


def word(rng, syllables):
    return "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(syllables))


def distinct(count, make):
    """The first `count` different values that `make` gives, in order."""
    found = {}
    while len(found) < count:
        found[make()] = None
    return list(found)


# (value, statements, questions) of the attributes a place can have
ATTRIBUTES = [
    (lambda r: str(r.randrange(10000, 100000)),
     ["The access code of the {e} is {v}.", "To enter the {e}, use the access code {v}."],
     ["What is the access code of the {e}?", "Tell me the access code of the {e}."]),
    (lambda r: r.choice(CITIES),
     ["The {e} is located in {v}.", "You can find the {e} in the city of {v}."],
     ["Where is the {e} located?", "In which city is the {e}?"]),
    (lambda r: r.choice(COLORS),
     ["The {e} was painted {v}.", "The color of the {e} is {v}."],
     ["What color is the {e}?", "What is the color of the {e}?"]),
    (lambda r: word(r, r.choice((2, 3))),
     ["The password of the {e} is {v}.", "Anyone visiting the {e} must say the password {v}."],
     ["What is the password of the {e}?", "Which password opens the {e}?"]),
    (lambda r: str(r.randrange(100, 1000)),
     ["The records of the {e} are kept in room {v}.", "Room {v} holds the records of the {e}."],
     ["Which room holds the records of the {e}?", "In which room are the records of the {e}?"]),
    (lambda r: r.choice(METALS),
     ["The roof of the {e} is made of {v}.", "The builders of the {e} used {v} for its roof."],
     ["What is the roof of the {e} made of?", "Which metal covers the roof of the {e}?"]),
    (lambda r: word(r, 2).capitalize(),
     ["The keeper of the {e} is {v}.", "{v} is the keeper of the {e}."],
     ["Who is the keeper of the {e}?", "Name the keeper of the {e}."]),
]


# Every family returns its notes and its (question, answer, indices of the notes it needs).

def place(rng):
    return f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"


def attr(rng, count):
    notes, questions = [], []
    for i, entity in enumerate(distinct(count, lambda: place(rng))):
        value_of, statements, asks = rng.choice(ATTRIBUTES)
        value = value_of(rng)
        notes.append(rng.choice(statements).format(e=entity, v=value))
        questions.append((rng.choice(asks).format(e=entity), value, [i]))
    return notes, questions


def json(rng, count):
    hexadecimal = lambda: "".join(rng.choice("0123456789abcdef") for _ in range(8))
    notes, questions = [], []
    for i, key in enumerate(distinct(count, hexadecimal)):
        value = hexadecimal()
        notes.append(f'{{"id": "{key}", "value": "{value}"}}')
        questions.append((f'What is the value of id "{key}"?', value, [i]))
    return notes, questions


def var(rng, count):
    """Assignments, some from an earlier variable; chains of at most four."""
    names = distinct(count, lambda: "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(3)))
    notes, questions, value, needs = [], [], {}, {}
    for i, name in enumerate(names):
        source = rng.choice(names[max(0, i - 12):i]) if i and rng.random() < 0.45 else None
        if source is not None and len(needs[source]) < 3:
            notes.append(f"VAR {name} = VAR {source}")
            value[name], needs[name] = value[source], needs[source] + [i]
        else:
            value[name], needs[name] = str(rng.randrange(10000, 100000)), [i]
            notes.append(f"VAR {name} = {value[name]}")
        questions.append((f"What is the value of VAR {name}?", value[name], needs[name]))
    return notes, questions


def multi(rng, count):
    people = distinct(max(1, count // 3), lambda: word(rng, 2).capitalize())
    pairs = [(person, item) for person in people for item in rng.sample(ITEMS, rng.choice((2, 3, 4)))]
    rng.shuffle(pairs)
    notes, owned = [], {}
    for i, (person, item) in enumerate(pairs):
        notes.append(rng.choice(("{p} owns a {i}.", "A {i} belongs to {p}.")).format(p=person, i=item))
        owned.setdefault(person, []).append((item, i))
    return notes, [(f"List everything that {p} owns.", ", ".join(item for item, _ in own), [i for _, i in own]) for p, own in owned.items()]


def copy(rng, count):
    notes, questions = [], []
    for i, entity in enumerate(distinct(count, lambda: place(rng))):
        report = (f"Report on the {entity}: {place(rng)}, {word(rng, 2)} {rng.choice(CITIES)} {rng.randrange(10, 1000)} "
                  f"{rng.choice(ITEMS)} {rng.choice(COLORS)}.")
        notes.append(report)
        questions.append((f"Repeat the report on the {entity}.", report, [i]))
    return notes, questions


def walk(rng, count):
    """A cycle of paths; the answer follows it step by step."""
    count = max(4, min(count, 60))
    stops = distinct(count, lambda: word(rng, 2).capitalize())
    cycle = rng.sample(stops, count)
    following = {stop: cycle[(i + 1) % count] for i, stop in enumerate(cycle)}
    notes = [rng.choice(("From {a} the path leads to {b}.", "The path from {a} goes to {b}.")).format(a=a, b=following[a])
             for a in rng.sample(stops, count)]
    questions = []
    for _ in range(max(1, count // 8)):
        start, steps, path = rng.choice(stops), rng.choice((2, 3, 4, 6, 8, 12, 16, 24)), []
        for _ in range(steps):
            path.append(following[path[-1] if path else start])
        questions.append((f"Start at {start} and take {steps} steps.", " ".join(path) + f". The walk ends at {path[-1]}.", list(range(count))))
    return notes, questions


FAMILIES = {f.__name__: f for f in (attr, json, var, multi, copy, walk)}
TRAINING_MIX = ["attr"] * 5 + ["json"] * 2 + ["var"] * 2 + ["multi", "copy", "walk"]


def facts(rng, count, kinds):
    """Notes of one to four families, interleaved, each family in its own order, and their (question, answer, last note needed)."""
    chosen = [rng.choice(kinds) for _ in range(rng.choice((1, 2, 2, 3, 4)))]
    share = max(1, count // len(chosen))
    groups = [FAMILIES[kind](rng, share * chosen.count(kind)) for kind in dict.fromkeys(chosen)]
    order = [g for g, (notes, _) in enumerate(groups) for _ in notes]
    rng.shuffle(order)
    notes, position = [], [[] for _ in groups]
    for g in order:
        notes.append(groups[g][0][len(position[g])])
        position[g].append(len(notes) - 1)
    questions = [(q, a, max(position[g][i] for i in needs)) for g, (_, qs) in enumerate(groups) for q, a, needs in qs]
    return notes, questions


class Writer:
    """Collects token ids and their loss weights."""

    def __init__(self, encode):
        self.user, self.assistant, self.end, self.newline, self.intro, self.noted = encode(
            [USER, ASSISTANT, END, "\n", "Read these notes.\n", "Noted."])
        self.tokens, self.weights = [], []

    def put(self, tokens, weight=0.0):
        self.tokens.extend(tokens)
        self.weights.extend([weight] * len(tokens))

    def answer(self, question, answer):
        """The end of a user turn that asks, and the turn that answers."""
        self.put(question, NOTE_WEIGHT)
        self.put(self.end)
        self.put(self.assistant)
        self.put(answer, ANSWER_WEIGHT)
        self.put(self.end, END_WEIGHT)

    def acknowledge(self):
        self.put(self.end)
        self.put(self.assistant)
        self.put(self.noted)
        self.put(self.end)

    def ask(self, question, answer):
        self.put(self.user)
        self.answer(question, answer)


def build(rng, length, encode, filler, kinds=None):
    """Token ids and loss weights of one document of about `length` tokens.

    encode: list of strings -> list of id lists; filler: rng -> id list of one paragraph."""
    density = rng.choice((0.1, 0.2, 0.35, 0.6))
    notes, questions = facts(rng, min(400, max(2, int(length * density / 22))), kinds or TRAINING_MIX)
    asked = rng.sample(questions, min(len(questions), max(2, int(length * rng.choice((0.08, 0.15, 0.3)) / 26))))
    interleaved = rng.random() < 0.6
    ids = encode(notes + [text for q, a, _ in asked for text in (q, a)])
    note_ids, pairs = ids[:len(notes)], ids[len(notes):]
    pending = sorted(((pairs[2 * i], pairs[2 * i + 1], asked[i][2]) for i in range(len(asked))), key=lambda t: t[2])

    out = Writer(encode)
    room = length - sum(map(len, note_ids)) - sum(len(q) + len(a) + 4 for q, a, _ in pending) - 40
    slots = [[] for _ in range(len(notes) + 1)]
    while room > 0:
        paragraph = filler(rng)[:max(8, room)]
        slots[rng.randrange(len(slots))].append(paragraph + out.newline)
        room -= len(paragraph) + 1
    filler_weight = 0.5 if rng.random() < 0.5 else 0.2

    ready = []
    out.put(out.user)
    out.put(out.intro)
    for i, note in enumerate(note_ids):
        for paragraph in slots[i]:
            out.put(paragraph, filler_weight)
        out.put(note + out.newline, NOTE_WEIGHT)
        while pending and pending[0][2] == i:
            ready.append(pending.pop(0))
        if interleaved and ready and rng.random() < 0.15:
            out.acknowledge()
            for _ in range(min(len(ready), rng.randrange(1, 4))):
                question, answer, _ = ready.pop(rng.randrange(len(ready)))
                out.ask(question, answer)
            out.put(out.user)
    for paragraph in slots[-1]:
        out.put(paragraph, filler_weight)
    rng.shuffle(ready)
    if ready and rng.random() < 0.5:  # the first question in the same turn as the notes
        question, answer, _ = ready.pop()
        out.put(out.newline)
        out.answer(question, answer)
    else:
        out.acknowledge()
    for question, answer, _ in ready:
        out.ask(question, answer)
    return out.tokens, out.weights


def exact_matches(predicted, tokens, weights):
    """How many answers have every token predicted, and how many answers there are. predicted[i] is the guess for tokens[i + 1]."""
    correct = total = 0
    i = 1
    while i < len(tokens):
        if weights[i] != ANSWER_WEIGHT:
            i += 1
            continue
        j = i
        while j < len(tokens) and weights[j] == ANSWER_WEIGHT:
            j += 1
        total += 1
        correct += all(predicted[k - 1] == tokens[k] for k in range(i, j))
        i = j
    return correct, total
