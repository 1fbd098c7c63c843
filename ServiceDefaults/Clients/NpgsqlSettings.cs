namespace Aspire.Npgsql;

/// <summary>How a service reaches Postgres. Section <c>Aspire:Npgsql</c>, then <c>Aspire:Npgsql:{name}</c>.</summary>
public sealed class NpgsqlSettings
{
    /// <summary>Npgsql's connection string. <c>ConnectionStrings:{name}</c> goes before it.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>True: no check of the database in <c>/health</c>.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>True: no trace of each command.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>True: no figures of the connection pool.</summary>
    public bool DisableMetrics { get; set; }
}
