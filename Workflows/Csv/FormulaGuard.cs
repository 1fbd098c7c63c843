using System.Buffers;

namespace Darkroom.Csv;

/// <summary>
/// Keeps spreadsheets from running a cell as a formula: prefixes an apostrophe to cells that start with <c>= + - @</c>, one of their
/// full-width forms, a tab, a line break or NUL. To make this reversible, a cell that already starts with apostrophes followed by such a
/// character gets one more. To undo it, remove one apostrophe from every cell that starts with apostrophes and such a character.
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

    /// <summary>Guards every cell in the raw text of a record (without line ending) and leaves everything else unchanged.</summary>
    public static string GuardRecord(string body, char delimiter)
    {
        var guarded = new System.Text.StringBuilder(body.Length + 8);
        for (var start = 0; start <= body.Length;)
        {
            var end = start + RawRecord.CellStart(body.AsSpan(start), delimiter, 1);
            var cell = body.AsSpan(start, Math.Min(end, body.Length) - start);
            var opening = cell.StartsWith('"') ? 1 : 0;
            guarded.Append(cell[..opening]);
            // The trailing delimiter is not part of the cell: a tab would look like a trigger.
            if (IsDangerous(cell[opening..(end <= body.Length ? ^1 : ^0)]))
                guarded.Append('\'');
            guarded.Append(cell[opening..]);
            start = end;
        }
        return guarded.ToString();
    }
}
