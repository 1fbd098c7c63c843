namespace Darkroom.Csv;

/// <summary>Why a cell cannot be read as a list of URLs.</summary>
internal enum UrlListFault
{
    None,
    /// <summary>Nothing in it.</summary>
    Missing,
    /// <summary>Two separators with nothing between them.</summary>
    Hole,
    /// <summary>A comma, semicolon, bar or blank that may separate two URLs and may belong to one.</summary>
    Ambiguous,
    TooMany,
}
