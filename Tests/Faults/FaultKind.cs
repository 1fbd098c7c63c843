namespace Darkroom.Tests.Faults;

/// <summary>What happens to one request to a store, and whether the request takes effect.</summary>
internal enum FaultKind
{
    /// <summary>Nothing: it is forwarded and answered.</summary>
    None,

    /// <summary>The connection breaks before the server receives it: no effect.</summary>
    CutBefore,

    /// <summary>The server has answered, but the connection breaks before the client reads it: effect, unknown to the client.</summary>
    CutAfter,

    /// <summary>The server has answered, but the client never hears of it until it gives up: effect, unknown to the client.</summary>
    SilentAfter,

    /// <summary>It is forwarded and answered, late.</summary>
    Slow,

    /// <summary>S3 only: refused with 500 before the effect.</summary>
    ErrorBefore,

    /// <summary>S3 only: refused with 503 before the effect.</summary>
    SlowDownBefore,

    /// <summary>S3 only: 500 after the effect.</summary>
    ErrorAfter,

    /// <summary>S3 only: refused with 507, as a store whose disk is full does.</summary>
    DiskFullBefore,

    /// <summary>S3 only: 200 with an error document as body, as S3 may answer long operations. No effect.</summary>
    ErrorInBody,

    /// <summary>S3 only: the answer's checksum, or one byte of a downloaded object, is wrong.</summary>
    Corrupt,
}
