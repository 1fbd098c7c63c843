using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Darkroom.Tests.Infrastructure.LongestFirst", "Tests")]

namespace Darkroom.Tests.Infrastructure;

/// <summary>Starts the slowest classes first (whole system, browser), so that none of them is left running alone at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Slow = [".EndToEnd.", ".AppHost.", ".Faults.", ".Studio.", ".Pages."];

    // Each class is its own collection, which is named after it.
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => Slow.Any(part => collection.DisplayName.Contains(part, StringComparison.Ordinal)) ? 0 : 1);
}
