using System.Text.Json;

namespace Darkroom.Engine.Expressions;

/// <summary>A language for computed inputs.</summary>
public interface IExpressionLanguage
{
    /// <summary>The name in definitions, the same as Elsa's: <c>JavaScript</c>, <c>Liquid</c>.</summary>
    string Name { get; }

    /// <summary>The editor's name for its syntax.</summary>
    string EditorLanguage { get; }

    /// <summary>Parses once; several threads may evaluate the result at the same time.</summary>
    /// <exception cref="ExpressionException">The source is not valid in this language.</exception>
    IExpression Parse(string source);
}

/// <summary>A parsed expression.</summary>
public interface IExpression
{
    /// <summary>Computes the value; undefined if there is none.</summary>
    /// <exception cref="ExpressionException">It fails, or exceeds a limit.</exception>
    JsonElement Evaluate(ExpressionScope scope, CancellationToken cancellationToken);
}

/// <summary>An expression that could not be evaluated; the message is written for its author.</summary>
public sealed class ExpressionException(string message, Exception? inner = null) : Exception(message, inner);
