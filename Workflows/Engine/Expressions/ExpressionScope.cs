using System.Text.Json;

namespace Darkroom.Engine.Expressions;

/// <summary>What an expression can see.</summary>
public sealed record ExpressionScope
{
    private static readonly Dictionary<string, JsonElement> Nothing = [];

    /// <summary>The workflow's variables by name, as they are now.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = Nothing;

    /// <summary>The workflow's inputs by name: facts about the request.</summary>
    public IReadOnlyDictionary<string, JsonElement> Inputs { get; init; } = Nothing;

    /// <summary>Outputs of the activities that have completed: by the activity's id, then by the output's name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>> Outputs { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, JsonElement>>();

    /// <summary>The id of an activity by its name or id; null if there is none.</summary>
    public Func<string, string?> FindActivity { get; init; } = _ => null;

    /// <summary>The image that the body runs on; null outside a body.</summary>
    public IImageFacts? Image { get; init; }

    /// <summary>Receives what the expression writes to variables; null where variables are read-only.</summary>
    public Dictionary<string, JsonElement>? Writes { get; init; }

    /// <summary>An output of an activity, or undefined.</summary>
    internal JsonElement Output(string activity, string? output)
    {
        if (FindActivity(activity) is not { } id || !Outputs.TryGetValue(id, out var outputs))
            return default;
        if (output is null)
            return outputs.Count > 0 ? outputs.Values.First() : default;
        foreach (var (name, value) in outputs)
            if (name.Equals(output, StringComparison.OrdinalIgnoreCase))
                return value;
        return default;
    }

    /// <summary>A variable as this expression sees it: its own writes come first.</summary>
    internal JsonElement Variable(string name) =>
        Writes is not null && Writes.TryGetValue(name, out var written) ? written : Variables.TryGetValue(name, out var value) ? value : default;

    /// <exception cref="ExpressionException">Variables are read-only here, or there is none of this name.</exception>
    internal void Write(string name, JsonElement value)
    {
        if (Writes is null)
            throw new ExpressionException("variables cannot be set in the body of a fan-out; it works on a snapshot.");
        if (!Variables.ContainsKey(name))
            throw new ExpressionException($"there is no variable {name} to set.");
        Writes[name] = value;
    }
}

/// <summary>What an expression in a fan-out's body can read about its image. Sizes are null until the image has been downloaded.</summary>
public interface IImageFacts
{
    string Url { get; }

    /// <summary>1-based number of the image's product in the CSV.</summary>
    int Row { get; }

    /// <summary>1-based place in the product's list of images.</summary>
    int Position { get; }

    /// <summary>Pixels, as displayed.</summary>
    int? Width { get; }

    int? Height { get; }

    /// <summary>Size of the downloaded file.</summary>
    long? Bytes { get; }

    /// <summary>jpeg, png, webp, gif, tiff or avif.</summary>
    string? Format { get; }
}
