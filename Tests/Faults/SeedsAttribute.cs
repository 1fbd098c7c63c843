using System.Globalization;
using System.Reflection;
using Xunit.Sdk;

namespace Darkroom.Tests.Faults;

/// <summary>
/// Runs a theory with the seeds 1 to n, few in an ordinary test run and more in the long run (<c>DARKROOM_FAULTS=long</c>). With
/// <c>DARKROOM_FAULT_SEED=n</c> it runs that seed alone, to repeat a failure.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SeedsAttribute(int seeds, int longRun = 3) : DataAttribute
{
    /// <summary>Whether the test needs a <see cref="HostNetwork"/>; it is skipped where there can be none.</summary>
    public bool OnNamespaces
    {
        get => Skip is not null;
        init => Skip = value ? HostNetwork.WhyMissing : null;
    }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod)
    {
        if (LongRun.Seed is { } only)
            return [[only]];
        return Enumerable.Range(1, LongRun.IsOn ? longRun : seeds).Select(seed => new object[] { seed });
    }
}

internal static class LongRun
{
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable("DARKROOM_FAULTS") == "long";

    /// <summary>The only seed to run, or null.</summary>
    public static int? Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("DARKROOM_FAULT_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : null;

    /// <summary>The first in an ordinary test run, the second in the long run.</summary>
    public static T Or<T>(T ordinary, T longRun) => IsOn ? longRun : ordinary;
}
