namespace DeltaKV.Evaluation.Notes;

/// <summary>The words needle-16m was trained on; other models know them too.</summary>
internal static class NoteWords
{
    private static readonly string[] Openings =
        "b br c cr d dr f fl g gr h j k kl l m n p pr qu r s sh sk st t th tr v w y z".Split(' ');

    private static readonly string[] Vowels = "a e i o u ai ea oo".Split(' ');

    private static readonly string[] Closings = ["", "n", "l", "r", "s", "t", "m", "k", "th", "nd", "x"];

    public static string[] Adjectives { get; } =
        ("amber ancient arctic autumn azure bitter blazing bold brass brave bright broken bronze calm carved clever coastal cobalt "
         + "copper coral crimson crystal curious distant dusty eager early electric elder emerald faded fierce floral foggy forgotten "
         + "frozen gentle gilded glass golden granite hidden hollow humble icy indigo iron ivory jade jolly keen lively lonely lucky "
         + "lunar marble mellow misty modest mossy narrow noble northern opal orange pale patient plain polar proud quiet rapid rustic "
         + "sacred scarlet secret serene sharp silent silver simple sleepy slender solar solemn spiral steady stone sturdy sunny swift "
         + "tidal timber tranquil twin velvet vivid wandering western wild winter wooden yellow young").Split(' ');

    public static string[] Nouns { get; } =
        ("abbey anchor archive arena attic badge balcony barn beacon bell bridge cabin cable camera canal candle canyon castle cavern "
         + "cellar chapel clock cottage crane creek crown depot desert dome dock drum eagle engine falcon farm ferry fjord forest forge "
         + "fountain gallery garden gate glacier grove hammer harbor harp hill hotel island kettle kiln ladder lagoon lantern library "
         + "lighthouse locker market meadow mill mine mirror mosaic museum needle oasis observatory orchard organ otter palace panther "
         + "pavilion pier pillar pond port prism quarry raven reef reservoir river robot rocket ruin sail school shrine signal sparrow "
         + "spring stadium station statue studio summit swan temple terrace theater tower trail tunnel turbine valley vault viaduct "
         + "village villa vineyard violin wagon well wharf windmill workshop").Split(' ');

    public static string[] Cities { get; } =
        ("Avelon Bernholt Calder Dunmere Eastvale Farrow Glenport Harwick Istria Jarrow Kelmont Lindale Marrow Norwell Oakden Penrith "
         + "Quarrel Redcliff Stonebury Thornby Upwood Valmere Westerly Yarrow Zenith Ashford Brindle Corvale Dellwick Elmstead").Split(' ');

    public static string[] Colors { get; } =
        "red blue green yellow purple orange pink brown black white gray teal violet maroon beige cyan".Split(' ');

    public static string[] Items { get; } =
        ("lamp kite drum rope mirror ladder basket kettle compass hammer blanket bottle guitar helmet pencil camera carpet hat vase "
         + "clock mug chair sword map coin ring book bell candle whistle").Split(' ');

    public static string[] Metals { get; } =
        "tin zinc lead nickel silver copper iron gold cobalt chrome".Split(' ');

    /// <summary>A pronounceable word of so many syllables.</summary>
    public static string Word(SeededRandom random, int syllables) => string.Concat(Enumerable.Range(0, syllables)
        .Select(_ => random.Pick<string>(Openings) + random.Pick<string>(Vowels) + random.Pick<string>(Closings)));

    /// <summary>A place: adjective and noun.</summary>
    public static string Place(SeededRandom random) => random.Pick<string>(Adjectives) + " " + random.Pick<string>(Nouns);

    /// <summary>A capitalised invented name.</summary>
    public static string Name(SeededRandom random)
    {
        var word = Word(random, 2);
        return char.ToUpperInvariant(word[0]) + word[1..];
    }

    /// <summary>So many letters of an alphabet.</summary>
    public static string Letters(SeededRandom random, string alphabet, int count) =>
        string.Create(count, (random, alphabet), static (span, state) =>
        {
            foreach (ref var letter in span)
                letter = state.alphabet[state.random.Next(state.alphabet.Length)];
        });
}
