using System.Text.Json;

namespace Darkroom.Engine.Expressions;

/// <summary>A language in which inputs are computed.</summary>
public interface IExpressionLanguage
{
    /// <summary>The name that definitions use, Elsa's: <c>JavaScript</c>, <c>Liquid</c>.</summary>
    string Name { get; }

    /// <summary>The editor's name for its syntax.</summary>
    string EditorLanguage { get; }

    /// <summary>Parses once; the result may be evaluated by many threads at once.</summary>
    /// <exception cref="ExpressionException">The source is not of this language.</exception>
    IExpression Parse(string source);
}

/// <summary>An expression that has been parsed.</summary>
public interface IExpression
{
    /// <summary>Computes the value; undefined stands for none.</summary>
    /// <exception cref="ExpressionException">It fails, or costs more than an expression may.</exception>
    JsonElement Evaluate(ExpressionScope scope, CancellationToken cancellationToken);
}

/// <summary>An expression that could not be evaluated; the message is meant for the person who wrote it.</summary>
public sealed class ExpressionException(string message, Exception? inner = null) : Exception(message, inner);
