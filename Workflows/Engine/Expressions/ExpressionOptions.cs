using System.ComponentModel.DataAnnotations;

namespace Darkroom.Engine.Expressions;

/// <summary>
/// Limits of one expression in a workflow. Section <c>Expressions</c>. Expressions run inside the worker that runs everything
/// else, once per image in a fan-out's body, so the limits are tight: an expression only computes an input.
/// </summary>
public sealed class ExpressionOptions
{
    /// <summary>Time for one evaluation; default 500 ms. Ordinary expressions take far less than 1 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:00:30")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Memory that one JavaScript evaluation may allocate, in bytes; default 8 MiB. Workers evaluate expressions for many images
    /// concurrently.
    /// </summary>
    [Range(1_048_576, 268_435_456)]
    public long MaxMemoryBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>JavaScript statements that one evaluation may execute; default 50,000.</summary>
    [Range(100, 10_000_000)]
    public int MaxStatements { get; set; } = 50_000;

    /// <summary>Depth of JavaScript calls and of Liquid blocks; default 64. Deeper recursion could overflow the thread's stack.</summary>
    [Range(4, 500)]
    public int MaxRecursion { get; set; } = 64;

    /// <summary>Elements of a JavaScript array; default 10,000.</summary>
    [Range(10, 1_000_000)]
    public int MaxArrayLength { get; set; } = 10_000;

    /// <summary>Liquid tags and outputs in one rendering; default 5,000.</summary>
    [Range(10, 1_000_000)]
    public int MaxLiquidSteps { get; set; } = 5_000;

    /// <summary>
    /// Length of a string that an expression builds or returns, in characters; default 65,536. Values are kept in the workflow's state,
    /// which is written at every step.
    /// </summary>
    [Range(256, 1_048_576)]
    public int MaxTextLength { get; set; } = 64 * 1024;

    /// <summary>Length of an expression's source, in characters; default 32,768.</summary>
    [Range(256, 1_048_576)]
    public int MaxSourceLength { get; set; } = 32 * 1024;
}
