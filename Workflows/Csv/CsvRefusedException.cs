namespace Darkroom.Csv;

/// <summary>
/// Leaves the parser from within its own reading when going on makes no sense: thrown by the text under it, caught by
/// <see cref="CsvRecordReader"/>, which knows the line. Never crosses this folder.
/// </summary>
internal sealed class CsvRefusedException(string code, string message, string? value = null) : Exception(message)
{
    public string Code => code;
    public string? Value => value;
}
