using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Darkroom.Tests.Infrastructure.LongestFirst", "Tests")]

namespace Darkroom.Tests.Infrastructure;

/// <summary>Classes that run whole products and browsers start first: one of them left for the end would run alone.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = [".EndToEnd.", ".AppHost.", ".Studio.", ".Pages."];

    // A class is a collection, and named after it.
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => Long.Any(room => collection.DisplayName.Contains(room, StringComparison.Ordinal)) ? 0 : 1);
}
