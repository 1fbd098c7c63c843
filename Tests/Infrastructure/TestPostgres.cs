namespace Darkroom.Tests.Infrastructure;

/// <summary>The one Postgres server of a test run: a given one (<c>DARKROOM_TEST_POSTGRES</c>, a connection string), else one that the run starts.</summary>
internal static class TestPostgres
{
    public static Task<string> ConnectionStringAsync() =>
        Environment.GetEnvironmentVariable("DARKROOM_TEST_POSTGRES") is { Length: > 0 } given
            ? Task.FromResult(given)
            : throw new InvalidOperationException("Set DARKROOM_TEST_POSTGRES.");
}
