namespace Aspire.StackExchange.Redis;

/// <summary>How a service reaches Redis. Section <c>Aspire:StackExchange:Redis</c>, then <c>Aspire:StackExchange:Redis:{name}</c>.</summary>
public sealed class StackExchangeRedisSettings
{
    /// <summary>StackExchange.Redis' configuration string. <c>ConnectionStrings:{name}</c> goes before it.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>True: no check of Redis in <c>/health</c>.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Without effect here: the instrumentation of Redis commands comes with Aspire's own package only.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>False: connect when the service starts, not at the first use.</summary>
    public bool DisableAutoActivation { get; set; } = true;
}
