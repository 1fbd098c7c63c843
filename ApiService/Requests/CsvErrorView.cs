using System.ComponentModel;
using Darkroom.Csv;

namespace Darkroom.Api.Requests;

/// <summary>One reason why a CSV is refused.</summary>
internal sealed record CsvErrorView(
    [property: Description("Line of the file, from 1, on which the record starts.")] long Line,
    [property: Description("Cell of the record, from 1; null where the whole record is meant.")] int? Column,
    [property: Description("Stable; the message may change.")] string Code,
    string? Value,
    string Message)
{
    public static CsvErrorView From(CsvError error) => new(error.Line, error.Column, error.Code, error.Value, error.Message);
}
