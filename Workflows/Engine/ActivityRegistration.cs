using Darkroom.Engine.Bodies;
using Darkroom.Engine.Flow;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Engine;

/// <summary>An activity class that can be described without creating an instance.</summary>
public interface IDescribedActivity
{
    static abstract ActivityDescriptor Descriptor { get; }
}

/// <summary>
/// An activity type: its descriptor, and how to create the instance that runs it. Services that only read and check definitions never
/// create one, so they need none of its dependencies.
/// </summary>
public sealed class ActivityRegistration
{
    private readonly Lazy<object> _activity;
    private readonly Lazy<ImageActivity> _image;

    public ActivityRegistration(ActivityDescriptor descriptor, Func<object> build)
    {
        Descriptor = descriptor;
        _activity = new Lazy<object>(build);
        _image = new Lazy<ImageActivity>(() => _activity.Value is FlowActivity flow ? flow.ForImages() : (ImageActivity)_activity.Value);
    }

    public ActivityDescriptor Descriptor { get; }

    internal WorkflowActivity Workflow => (WorkflowActivity)_activity.Value;

    internal ImageActivity Image => _image.Value;

    /// <summary>True if it only looks at its inputs, so that creating it needs no dependencies.</summary>
    internal bool OnlyDecides { get; init; }

    /// <summary>Set for a type that only looks at its inputs.</summary>
    internal FlowActivity? Flow => OnlyDecides ? (FlowActivity)_activity.Value : null;
}

public static class ActivityRegistrationServices
{
    /// <summary>Adds an activity type that definitions may name.</summary>
    /// <param name="services">The services to add it to.</param>
    /// <param name="describe">Completes the descriptor with what depends on the configuration; null if nothing does.</param>
    public static IServiceCollection AddActivity<T>(
        this IServiceCollection services, Func<ActivityDescriptor, IServiceProvider, ActivityDescriptor>? describe = null)
        where T : class, IDescribedActivity =>
        services.AddSingleton(provider => new ActivityRegistration(
            describe is null ? T.Descriptor : describe(T.Descriptor, provider), () => ActivatorUtilities.CreateInstance<T>(provider))
        {
            OnlyDecides = typeof(T).IsAssignableTo(typeof(FlowActivity)),
        });
}
