using System.Text;

namespace DeltaKV.Evaluation.Html;

/// <summary>A self-contained page of titled sections: no script, style sheet, font or picture from elsewhere; light or dark as the reader's system is.</summary>
internal sealed class HtmlPage(string title, string lead)
{
    private const string Style = """
        :root{color-scheme:light dark;--ink:#1c2128;--dim:#5d6875;--faint:#98a2ae;--paper:#f6f7f9;--card:#fff;--rule:#e3e7ec;--accent:#2f6fd0;--heat:78%;--quiet:#dfe4ea;
        --c0:#2f6fd0;--c1:#e07b1a;--c2:#2f9e58;--c3:#d2453f;--c4:#7d55c7;--c5:#128c8c;--c6:#b8527f;--c7:#8c6d3f;--c8:#6b7f1e;--c9:#5d6875;--c10:#c9a100;--c11:#3d4fb5;--c12:#a33b1f;--c13:#5aa02c;--c14:#c24bc2}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--dim:#a3adb9;--faint:#717c88;--paper:#101317;--card:#181c22;--rule:#2a3038;--accent:#6ea4f5;--heat:34%;--quiet:#333b45;
        --c0:#6ea4f5;--c1:#f2a04d;--c2:#5cc384;--c3:#f07a74;--c4:#ab8cf0;--c5:#4cc0c0;--c6:#e58ab3;--c7:#c8a573;--c8:#aabf4f;--c9:#a3adb9;--c10:#e8cb4a;--c11:#8f9cf2;--c12:#e08a6f;--c13:#8ed163;--c14:#e68ae6}}
        *{box-sizing:border-box}body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);background:var(--paper);margin:0}
        main{max-width:1120px;margin:0 auto;padding:44px 24px 72px}h1{font-size:30px;line-height:1.2;margin:0 0 8px;letter-spacing:-.01em}
        h2{font-size:19px;margin:0 0 4px}h3{font-size:14px;margin:0 0 6px;font-weight:600}p{color:var(--dim);margin:0 0 14px;max-width:76ch}.lead{font-size:16px}
        section{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:22px 24px;margin:22px 0;overflow-x:auto}
        .cards{display:flex;flex-wrap:wrap;gap:12px;margin:20px 0 0}.cards div{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:10px 16px;min-width:120px}
        .cards b{display:block;font-size:21px;font-variant-numeric:tabular-nums}.cards span{color:var(--dim);font-size:13px}
        .grid{display:grid;gap:20px 24px;grid-template-columns:repeat(auto-fill,minmax(240px,1fr))}.grid.wide{grid-template-columns:repeat(auto-fill,minmax(min(460px,100%),1fr))}
        figure{margin:0}figcaption{font-size:13px;font-weight:600;margin-bottom:4px}
        table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13.5px;width:100%}td,th{padding:5px 10px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
        th{color:var(--dim);font-weight:500}td:first-child,th:first-child{text-align:left}tbody tr:hover{background:var(--paper)}
        svg{display:block;width:100%;height:auto}svg text{fill:var(--dim);font:12px system-ui,-apple-system,"Segoe UI",sans-serif}svg .axis{stroke:var(--rule)}svg .base{stroke:var(--faint);stroke-dasharray:4 4}
        svg .name{font-weight:600;fill:currentColor}svg .strong{fill:var(--ink)}svg .cell{fill:hsl(var(--h) 58% var(--heat))}svg .none{fill:var(--quiet)}svg .ink{fill:var(--ink)}
        svg [data-tip]{cursor:default}svg g[data-tip]:hover circle,svg rect[data-tip]:hover{stroke:var(--ink);stroke-width:1.5}
        #tip{position:fixed;display:none;background:var(--ink);color:var(--card);font-size:12.5px;line-height:1.4;padding:6px 10px;border-radius:6px;white-space:pre;pointer-events:none;z-index:9}
        @media(max-width:900px){main{padding:24px 12px 48px}section{padding:16px}section>svg{width:860px}}
        """;

    /// <summary>Shows an element's <c>data-tip</c> beside the pointer.</summary>
    private const string Script = """
        const tip=document.getElementById('tip');
        addEventListener('pointermove',e=>{const t=e.target.closest&&e.target.closest('[data-tip]');tip.style.display=t?'block':'none';if(!t)return;tip.textContent=t.dataset.tip;
        tip.style.left=Math.min(e.clientX+14,innerWidth-tip.offsetWidth-8)+'px';tip.style.top=Math.min(e.clientY+14,innerHeight-tip.offsetHeight-8)+'px'});
        """;

    private readonly StringBuilder body = new();
    private readonly StringBuilder cards = new();

    /// <summary>A figure to see first.</summary>
    public void Card(string value, string meaning) =>
        cards.Append("<div><b>").Append(Svg.Escape(value)).Append("</b><span>").Append(Svg.Escape(meaning)).Append("</span></div>");

    /// <summary>A titled part of the page.</summary>
    /// <param name="heading">Plain text.</param>
    /// <param name="note">What is seen and how to read it; plain text.</param>
    /// <param name="content">Markup.</param>
    public void Section(string heading, string note, string content) => body.Append("<section><h2>").Append(Svg.Escape(heading)).Append("</h2><p>")
        .Append(Svg.Escape(note)).Append("</p>").Append(content).Append("</section>\n");

    /// <summary>Pictures side by side, as many as fit.</summary>
    public static string Grid(IEnumerable<(string Caption, string Content)> figures, bool isWide = false)
    {
        var text = new StringBuilder(isWide ? "<div class=\"grid wide\">" : "<div class=\"grid\">");
        foreach (var (caption, content) in figures)
            text.Append("<figure><figcaption>").Append(Svg.Escape(caption)).Append("</figcaption>").Append(content).Append("</figure>");
        return text.Append("</div>").ToString();
    }

    /// <summary>Rows of plain text; the first are the headings.</summary>
    public static string Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        var text = new StringBuilder("<table><thead><tr>");
        foreach (var cell in header)
            text.Append("<th>").Append(Svg.Escape(cell)).Append("</th>");
        text.Append("</tr></thead><tbody>");
        foreach (var row in rows)
        {
            text.Append("<tr>");
            foreach (var cell in row)
                text.Append("<td>").Append(Svg.Escape(cell)).Append("</td>");
            text.Append("</tr>");
        }

        return text.Append("</tbody></table>").ToString();
    }

    /// <inheritdoc/>
    public override string ToString() => new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>")
        .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>").Append(Svg.Escape(title)).Append("</title>\n<style>")
        .Append(Style).Append("</style></head>\n<body><main><h1>").Append(Svg.Escape(title)).Append("</h1><p class=\"lead\">").Append(Svg.Escape(lead)).Append("</p>")
        .Append(cards.Length > 0 ? $"<div class=\"cards\">{cards}</div>" : "").Append('\n').Append(body)
        .Append("</main><div id=\"tip\"></div>\n<script>//<![CDATA[\n").Append(Script).Append("\n//]]></script></body></html>\n").ToString();
}
