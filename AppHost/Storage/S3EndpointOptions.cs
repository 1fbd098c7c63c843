using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Darkroom.AppHost.Storage;

/// <summary>Where the embedded endpoint stores its objects, and the credentials for them.</summary>
public sealed class S3EndpointOptions
{
    /// <summary>Everything is stored in this folder, which is created if missing.</summary>
    public required string DataFolder { get; init; }

    public required string AccessKey { get; init; }
    public required string SecretKey { get; init; }

    /// <summary>Created at startup; clients may create more.</summary>
    public required string Bucket { get; init; }

    /// <summary>0: any free port.</summary>
    public int Port { get; init; }

    /// <summary>Part of every signature. Any name works, as long as clients use the same one.</summary>
    public string Region { get; init; } = "us-east-1";

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Null: no logging.</summary>
    public ILoggerFactory? Logging { get; init; }

    /// <summary>
    /// For fault tests. Runs before each request is served and can delay it, or respond itself, in which case it is not served.
    /// </summary>
    internal Func<HttpContext, Task>? Intercept { get; init; }
}
