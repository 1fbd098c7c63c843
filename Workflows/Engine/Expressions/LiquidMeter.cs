using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using Fluid;
using Fluid.Ast;
using Fluid.Values;

namespace Darkroom.Engine.Expressions;

/// <summary>
/// Limits one rendering where Fluid does not: Fluid counts tags and outputs, but not what the filters and comparisons in them
/// cost. Each of these checks the time, and what goes in and comes out is measured.
/// </summary>
internal sealed partial class LiquidMeter(ExpressionOptions bounds, CancellationToken cancellationToken)
{
    // Intermediate texts, and the texts of a list together, may be longer than the result.
    private const long IntermediateFactor = 16;

    // Filters whose result may be as long as the product of two texts; those that only add lengths are measured afterwards.
    private static readonly HashSet<string> Multiplying = ["format_string", "replace"];

    // Real time, as for scripts: a clock that stands still must not let an expression run forever.
    private readonly long _since = Stopwatch.GetTimestamp();

    public static LiquidMeter Of(TemplateContext context) => (LiquidMeter)context.AmbientValues[nameof(LiquidMeter)];

    public void Attach(TemplateContext context) => context.AmbientValues[nameof(LiquidMeter)] = this;

    /// <exception cref="OperationCanceledException">The caller has cancelled the evaluation.</exception>
    /// <exception cref="ExpressionException">It has run out of time.</exception>
    public void Check()
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Stopwatch.GetElapsedTime(_since) > bounds.Timeout)
            throw new ExpressionException($"it took longer than {bounds.Timeout.TotalMilliseconds:N0} milliseconds.");
    }

    /// <summary>A writer for the rendering or for a part of it.</summary>
    public BoundedWriter Writer() => new(bounds.MaxTextLength, Check);

    /// <summary>Throws if a text or a list is too long.</summary>
    public FluidValue Bounded(FluidValue value)
    {
        if (value is StringValue && value.ToStringValue().Length > bounds.MaxTextLength)
            throw TooLong();
        if (value is ArrayValue)
            Size(value);
        return value;
    }

    public static FilterDelegate Guard(string name, FilterDelegate filter) => (input, arguments, context) => Of(context).Run(name, filter, input, arguments, context);

    /// <summary>The same template, metered where Fluid does not measure.</summary>
    public static IFluidTemplate Instrument(IFluidTemplate template) => new Instrumenter().VisitTemplate(template);

    private async ValueTask<FluidValue> Run(string name, FilterDelegate filter, FluidValue input, FilterArguments arguments, TemplateContext context)
    {
        Check();
        var size = Size(Bounded(input));
        long inner = 0;
        for (var i = 0; i < arguments.Count; i++)
            inner = Math.Max(inner, Size(Bounded(arguments.At(i))));
        // The separator is written once per element.
        var outer = name == "join" && input is ArrayValue list ? list.Values.Count : Multiplying.Contains(name) ? size : 0;
        if (outer * inner > IntermediateFactor * bounds.MaxTextLength)
            throw TooLong();
        if (Widens(name, input, arguments))
            throw new ExpressionException("a format's width or precision has at most three digits.");
        var result = Bounded(await filter(input, arguments, context));
        Check();
        return result;
    }

    /// <summary>Total length of a value's texts, nested ones included. Shared ones count each time they would be written.</summary>
    private long Size(FluidValue value)
    {
        if (value is StringValue)
            return value.ToStringValue().Length;
        if (value is not ArrayValue list)
            return 1;
        if (list.Values.Count > bounds.MaxArrayLength)
            throw new ExpressionException($"it builds a list longer than {bounds.MaxArrayLength:N0} elements.");
        long total = 0;
        foreach (var element in list.Values)
        {
            total += Size(element);
            if (total > IntermediateFactor * bounds.MaxTextLength)
                throw TooLong();
        }

        return total;
    }

    // A format of a few characters can ask for a billion digits.
    private static bool Widens(string name, FluidValue input, FilterArguments arguments) => name switch
    {
        "date" => DateWidth().IsMatch(arguments.At(0).ToStringValue()),
        "format_number" => Precision().IsMatch(arguments.At(0).ToStringValue()),
        "format_string" => Placeholder().IsMatch(input.ToStringValue()),
        _ => false,
    };

    private ExpressionException TooLong() => new($"it builds a text longer than {bounds.MaxTextLength:N0} characters.");

    [GeneratedRegex(@"%[^0-9A-Za-z%]{0,8}[0-9]{4}")]
    private static partial Regex DateWidth();

    [GeneratedRegex(@"^\s*[A-Za-z][0-9]{4}")]
    private static partial Regex Precision();

    [GeneratedRegex(@",\s*-?[0-9]{4}|:\s*[A-Za-z][0-9]{4}")]
    private static partial Regex Placeholder();

    private static void RequireStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new ExpressionException("its filters or conditions go too deep.");
    }

    private sealed class Instrumenter : AstRewriter
    {
        // An exception passes through the whole chain, and its stack trace grows with each link.
        private const int MaxChainLength = 256;

        private int _depth;

        public override Expression Visit(Expression expression)
        {
            RequireStack();
            if (_depth >= MaxChainLength)
                throw new ExpressionException($"it chains more than {MaxChainLength:N0} filters or conditions.");
            _depth++;
            var visited = base.Visit(expression);
            _depth--;
            return visited is BinaryExpression or FilterExpression ? new MeteredExpression(visited) : visited;
        }

        // Only statements in lists: a parent recognizes its else or when by type.
        public override Statement Visit(Statement statement)
        {
            RequireStack();
            return base.Visit(statement) switch
            {
                // Their output is buffered, and written only when it is complete.
                CaptureStatement capture => new MeteredStatement(new CaptureStatement(capture.Identifier, [new Buffered(capture.Statements)])),
                IfChangedStatement changed => new MeteredStatement(new IfChangedStatement([new Buffered(changed.Statements)])),
                var visited and (AssignStatement or CaseStatement or ForStatement or IfStatement or OutputStatement or TableRowStatement or UnlessStatement) =>
                    new MeteredStatement(visited),
                var visited => visited,
            };
        }
    }

    private sealed class MeteredExpression(Expression expression) : Expression
    {
        public override ValueTask<FluidValue> EvaluateAsync(TemplateContext context)
        {
            // A chain of filters is evaluated from its end, so each filter is a call within the next.
            RequireStack();
            Of(context).Check();
            return expression.EvaluateAsync(context);
        }
    }

    private sealed class MeteredStatement(Statement statement) : Statement
    {
        public override ValueTask<Completion> WriteToAsync(TextWriter writer, TextEncoder encoder, TemplateContext context)
        {
            RequireStack();
            Of(context).Check();
            return statement.WriteToAsync(writer, encoder, context);
        }
    }

    private sealed class Buffered(IReadOnlyList<Statement> statements) : Statement
    {
        public override async ValueTask<Completion> WriteToAsync(TextWriter writer, TextEncoder encoder, TemplateContext context)
        {
            using var held = Of(context).Writer();
            var completion = Completion.Normal;
            for (var i = 0; i < statements.Count && completion == Completion.Normal; i++)
                completion = await statements[i].WriteToAsync(held, encoder, context);
            await writer.WriteAsync(held.ToString());
            return completion;
        }
    }
}
