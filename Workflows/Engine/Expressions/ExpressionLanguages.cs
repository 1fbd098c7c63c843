using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Darkroom.Engine.Expressions;

/// <summary>The expression languages besides the literal ones, and a cache of parsed expressions.</summary>
public sealed class ExpressionLanguages(IOptions<ExpressionOptions> options, TimeProvider time, Random random)
{
    // Definitions are compiled again and again while somebody edits, but a process sees only a handful of distinct sources.
    private const int MaxCached = 1_024;

    private readonly ConcurrentDictionary<(string Language, string Source), IExpression> _parsed = new();
    private readonly Dictionary<string, IExpressionLanguage> _languages =
        new IExpressionLanguage[] { new JavaScriptLanguage(options.Value, time, random), new LiquidLanguage(options.Value) }
            .ToDictionary(language => language.Name, StringComparer.Ordinal);

    /// <summary>The languages with default limits, for definitions that are read but not run; their random numbers are always the same.</summary>
    public static ExpressionLanguages Default { get; } = new(Options.Create(new ExpressionOptions()), TimeProvider.System, new Random(1));

    public IReadOnlyCollection<IExpressionLanguage> All => _languages.Values;

    /// <summary>Maximum characters of a value, computed or literal.</summary>
    public int MaxTextLength => options.Value.MaxTextLength;

    /// <summary>True if this language is supported.</summary>
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

    /// <exception cref="ExpressionException">The language is not supported, or the source is not valid in it.</exception>
    public IExpression Parse(string language, string source)
    {
        if (!_languages.TryGetValue(language, out var known))
            throw new ExpressionException($"expressions in {language} are not run here.");
        if (source.Length > options.Value.MaxSourceLength)
            throw new ExpressionException($"an expression may have {options.Value.MaxSourceLength:N0} characters; this one has {source.Length:N0}.");
        if (_parsed.TryGetValue((language, source), out var parsed))
            return parsed;
        parsed = known.Parse(source);
        if (_parsed.Count >= MaxCached)
            _parsed.Clear();
        return _parsed.GetOrAdd((language, source), parsed);
    }
}
