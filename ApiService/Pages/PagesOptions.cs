using System.ComponentModel.DataAnnotations;

namespace Darkroom.Api.Pages;

/// <summary>Section <c>Pages</c>: the web page at <c>/</c>.</summary>
public sealed class PagesOptions
{
    public const string Section = "Pages";

    /// <summary>
    /// Additional origins (<c>https://host[:port]</c>, separated by spaces) from which the page may load images. Default none. Needed only
    /// if image links redirect somewhere other than the object store or its <c>PublicBaseUrl</c>, which are always allowed: the browser
    /// blocks every other origin, including redirects.
    /// </summary>
    [RegularExpression(@"^\s*(https?://[A-Za-z0-9.\-]+(:\d{1,5})?(\s+|$))*$",
        ErrorMessage = "Pages:ImageOrigins must be origins such as https://images.example.com, separated by spaces.")]
    public string ImageOrigins { get; set; } = "";

    /// <summary>
    /// URL of a sample CSV that the page offers. Default none: the page offers no sample. Set in development; the images in the sample must
    /// be reachable.
    /// </summary>
    [Url]
    public string? SampleCsv { get; set; }
}
