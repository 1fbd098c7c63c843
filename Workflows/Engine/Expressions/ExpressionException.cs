namespace Darkroom.Engine.Expressions;

/// <summary>An expression that could not be evaluated; the message is meant for the person who wrote it.</summary>
public sealed class ExpressionException(string message, Exception? inner = null) : Exception(message, inner);
