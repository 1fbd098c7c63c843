using System.Globalization;
using Jint.Runtime;

namespace Darkroom.Engine.Expressions;

/// <summary>The time that scripts see: the engine's, in UTC wherever the worker stands.</summary>
internal sealed class ScriptClock(TimeProvider time) : DefaultTimeSystem(TimeZoneInfo.Utc, CultureInfo.InvariantCulture)
{
    public override DateTimeOffset GetUtcNow() => time.GetUtcNow();
}
