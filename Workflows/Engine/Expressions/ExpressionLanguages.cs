using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Darkroom.Engine.Expressions;

/// <summary>The languages of expressions beside the literal ones, and a memory of what has been parsed.</summary>
public sealed class ExpressionLanguages(IOptions<ExpressionOptions> options, TimeProvider time, Random random)
{
    // Definitions are compiled again and again while somebody edits; a process meets a handful of distinct sources.
    private const int Remembered = 1_024;

    private readonly ConcurrentDictionary<(string Language, string Source), IExpression> _parsed = new();
    private readonly Dictionary<string, IExpressionLanguage> _languages =
        new IExpressionLanguage[] { new JavaScriptLanguage(options.Value, time, random), new LiquidLanguage(options.Value) }
            .ToDictionary(language => language.Name, StringComparer.Ordinal);

    /// <summary>The languages under their default bounds, for definitions that are looked at and not run: chance is the same every time.</summary>
    public static ExpressionLanguages Default { get; } = new(Options.Create(new ExpressionOptions()), TimeProvider.System, new Random(1));

    public IReadOnlyCollection<IExpressionLanguage> All => _languages.Values;

    /// <summary>Characters of a value, whether it is computed or written out.</summary>
    public int MaxTextLength => options.Value.MaxTextLength;

    /// <summary>True if expressions of this language are run here.</summary>
    public bool Knows(string language) => _languages.ContainsKey(language);

    /// <summary>What is wrong with an expression, for the person who wrote it; null if it can be run.</summary>
    public string? Check(string language, string source)
    {
        try
        {
            Parse(language, source);
            return null;
        }
        catch (ExpressionException e)
        {
            return e.Message;
        }
    }

    /// <exception cref="ExpressionException">The language is not run here, or the source is not of it.</exception>
    public IExpression Parse(string language, string source)
    {
        if (!_languages.TryGetValue(language, out var known)) throw new ExpressionException($"expressions in {language} are not run here.");
        if (source.Length > options.Value.MaxSourceLength)
            throw new ExpressionException($"an expression may have {options.Value.MaxSourceLength:N0} characters; this one has {source.Length:N0}.");
        if (_parsed.TryGetValue((language, source), out var parsed)) return parsed;
        parsed = known.Parse(source);
        if (_parsed.Count >= Remembered) _parsed.Clear();
        return _parsed.GetOrAdd((language, source), parsed);
    }
}
