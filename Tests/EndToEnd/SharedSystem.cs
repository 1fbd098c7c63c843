namespace Darkroom.Tests.EndToEnd;

/// <summary>One running product for all tests of a class. Each test runs its own workflows and checks only its own requests.</summary>
public sealed class SharedSystem : IAsyncLifetime
{
    internal DarkroomSystem Product { get; private set; } = null!;

    public async Task InitializeAsync() => Product = await DarkroomSystem.StartAsync();

    public async Task DisposeAsync() => await Product.DisposeAsync();
}
