using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Darkroom.AppHost.Storage;

/// <summary>Where the embedded endpoint keeps its objects and who may ask for them.</summary>
public sealed class S3EndpointOptions
{
    /// <summary>Everything lies under this folder; it is made if it is not there.</summary>
    public required string DataFolder { get; init; }

    public required string AccessKey { get; init; }
    public required string SecretKey { get; init; }

    /// <summary>Made at the start; clients may make more.</summary>
    public required string Bucket { get; init; }

    /// <summary>0: any free one.</summary>
    public int Port { get; init; }

    /// <summary>Part of every signature. Any name does, as long as clients use the same.</summary>
    public string Region { get; init; } = "us-east-1";

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Null: silent.</summary>
    public ILoggerFactory? Logging { get; init; }

    /// <summary>Sees each request before it is served and may delay it, or answer it itself: then it is not served. For fault tests.</summary>
    internal Func<HttpContext, Task>? Intercept { get; init; }
}
