using System.ComponentModel.DataAnnotations;

namespace Darkroom.Api.Pages;

/// <summary>Section <c>Pages</c>: the page that people open at <c>/</c>.</summary>
public sealed class PagesOptions
{
    public const string Section = "Pages";

    /// <summary>
    /// Further origins (<c>https://host[:port]</c>, separated by blanks) from which the page may show images: where an output image's link finally leads, if that is not the
    /// object store or its <c>PublicBaseUrl</c>, which are allowed without saying. Default: none. The browser refuses every other origin, redirects included.
    /// </summary>
    [RegularExpression(@"^\s*(https?://[A-Za-z0-9.\-]+(:\d{1,5})?(\s+|$))*$", ErrorMessage = "Pages:ImageOrigins must be origins such as https://images.example.com, separated by blanks.")]
    public string ImageOrigins { get; set; } = "";

    /// <summary>Address of a CSV that the page offers as a first try. Default: none, and the page does not mention it. Development sets it; the images in it must be reachable.</summary>
    [Url]
    public string? SampleCsv { get; set; }
}
