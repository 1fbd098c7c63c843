namespace Darkroom.Csv;

/// <summary>Places inside the raw text of a record that was found sound.</summary>
internal static class RawRecord
{
    /// <summary>CR LF, LF, CR, or nothing on a last line without end.</summary>
    public static ReadOnlySpan<char> LineEnd(ReadOnlySpan<char> raw) => raw switch
    {
        [.., '\r', '\n'] => raw[^2..],
        [.., '\r' or '\n'] => raw[^1..],
        _ => default,
    };

    /// <summary>Where the raw text of a cell starts; one behind the end of the record (without line end) for the cell behind the last.</summary>
    public static int CellStart(ReadOnlySpan<char> body, char delimiter, int cell)
    {
        var (position, inQuotes) = (0, false);
        while (cell > 0 && position < body.Length)
        {
            var c = body[position++];
            if (c == '"')
                inQuotes = !inQuotes;
            else if (c == delimiter && !inQuotes)
                cell--;
        }
        return cell == 0 ? position : body.Length + 1;
    }
}
