using System.Buffers;

namespace Darkroom.Csv;

/// <summary>
/// Keeps spreadsheets from running a cell as a formula: an apostrophe is put before a cell that starts with <c>= + - @</c>, one of their
/// full-width forms, a tab, a line end or NUL. The original is what is left when one leading apostrophe is taken from a cell in which apostrophes and
/// then such a character follow; so that this is always right, a cell that starts in that way by itself gets one more too.
/// </summary>
internal static class FormulaGuard
{
    private static readonly SearchValues<char> Triggers = SearchValues.Create("=+-@\t\r\n\0＝＋－＠");

    public static bool IsDangerous(ReadOnlySpan<char> cell)
    {
        var first = cell.IndexOfAnyExcept('\'');
        return first >= 0 && Triggers.Contains(cell[first]);
    }

    public static string Guard(string cell) => IsDangerous(cell) ? "'" + cell : cell;

    /// <summary>Guards every cell of a record's raw text (without line end) and leaves everything else as it is.</summary>
    public static string GuardRecord(string body, char delimiter)
    {
        var guarded = new System.Text.StringBuilder(body.Length + 8);
        for (var start = 0; start <= body.Length;)
        {
            var end = start + RawRecord.CellStart(body.AsSpan(start), delimiter, 1);
            var cell = body.AsSpan(start, Math.Min(end, body.Length) - start);
            var opening = cell.StartsWith('"') ? 1 : 0;
            guarded.Append(cell[..opening]);
            // The delimiter at the end is no part of the cell: a tab would look like a trigger.
            if (IsDangerous(cell[opening..(end <= body.Length ? ^1 : ^0)]))
                guarded.Append('\'');
            guarded.Append(cell[opening..]);
            start = end;
        }
        return guarded.ToString();
    }
}
