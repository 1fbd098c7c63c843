namespace Darkroom.Csv;

/// <summary>How the output CSV is written. Section <c>OutputCsv</c>.</summary>
public sealed class OutputCsvOptions
{
    /// <summary>
    /// Whether input cells that a spreadsheet would run as a formula are escaped too. Default false, because the output promises the
    /// input's cells unchanged, and <c>-5</c> or <c>+49 30 1234</c> are legitimate values. Cells that Darkroom adds are always escaped.
    /// </summary>
    public bool GuardInputCells { get; set; }
}
