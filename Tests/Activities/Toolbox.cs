using Darkroom.Activities;
using Darkroom.Egress;
using Darkroom.Engine;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Activities;

/// <summary>The activities that need only the engine.</summary>
internal static class Toolbox
{
    /// <param name="time">The clock for HTTP requests.</param>
    /// <param name="options">Limits of HTTP requests.</param>
    public static ActivityRegistration[] With(TimeProvider? time = null, Darkroom.Activities.HttpRequestOptions? options = null)
    {
        var guard = new EgressGuard(Options.Create(new EgressOptions { AllowLoopback = true }), new SystemNameResolver(), TimeProvider.System);
        return
        [
            new(FlowDecision.Descriptor, () => new FlowDecision()), new(Darkroom.Activities.If.Descriptor, () => new Darkroom.Activities.If()), new(SetVariable.Descriptor, () => new SetVariable()),
            new(WriteLine.Descriptor, () => new WriteLine()), new(Delay.Descriptor, () => new Delay()), new(Fault.Descriptor, () => new Fault()),
            new(Finish.Descriptor, () => new Finish()), new(Complete.Descriptor, () => new Complete()),
            new(SendHttpRequest.Descriptor, () => new SendHttpRequest(guard, time ?? TimeProvider.System, Options.Create(options ?? new Darkroom.Activities.HttpRequestOptions()))),
        ];
    }
}
