using System.Text;

namespace DeltaKV.Cli.Output;

/// <summary>Rows of text in aligned columns: the first column to the left, figures to the right.</summary>
internal sealed class TextTable(params string[] header)
{
    private readonly List<string[]> rows = [header];

    internal void Add(params string[] row) => rows.Add(row);

    public override string ToString()
    {
        var widths = Enumerable.Range(0, header.Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        for (var i = 0; i < rows.Count; i++)
        {
            text.AppendLine(string.Join("  ", rows[i].Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))).TrimEnd());
            if (i == 0)
                text.AppendLine(string.Join("  ", widths.Select(width => new string('-', width))));
        }

        return text.ToString();
    }
}
