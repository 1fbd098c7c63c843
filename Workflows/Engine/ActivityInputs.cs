namespace Darkroom.Engine;

/// <summary>The evaluated inputs of one execution.</summary>
public sealed class ActivityInputs(IReadOnlyDictionary<string, object?> values)
{
    public IReadOnlyDictionary<string, object?> Values { get; } = values;

    /// <summary>For an activity that resumes after waiting: its bookmark holds what it needs.</summary>
    internal static ActivityInputs None { get; } = new(new Dictionary<string, object?>());

    /// <summary>The value of an input that has a default or is required by the activity's descriptor.</summary>
    public T Get<T>(string name) => (T)Values[name]!;

    /// <summary>The text of an optional input; null where it is absent or blank.</summary>
    public string? Text(string name) => Values[name] is string { Length: > 0 } text && !string.IsNullOrWhiteSpace(text) ? text : null;
}
