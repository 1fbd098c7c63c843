namespace Darkroom.Csv;

/// <summary>How the output CSV is written. Section <c>OutputCsv</c>.</summary>
public sealed class OutputCsvOptions
{
    /// <summary>
    /// Whether cells of the input that a spreadsheet would run as a formula are defused as well. Default off: the output promises the
    /// input's cells as they were, and <c>-5</c> or <c>+49 30 1234</c> are honest values. Cells that we add are always defused.
    /// </summary>
    public bool GuardInputCells { get; set; }
}
