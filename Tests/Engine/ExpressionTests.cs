using System.Diagnostics;
using System.Text.Json;
using Darkroom.Engine.Expressions;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Engine;

public sealed class ExpressionTests
{
    private static readonly ExpressionLanguages Languages = new(Options.Create(new ExpressionOptions { TimeoutMilliseconds = 300 }));

    [Theory]
    [InlineData("1 + 1", "2")]
    [InlineData("return variables.Count * 2", "8")]
    [InlineData("getVariable('Name').toUpperCase()", "\"LAMP\"")]
    [InlineData("getInput('Images') > 2", "true")]
    [InlineData("getOutputFrom('Call', 'StatusCode')", "200")]
    [InlineData("getOutputFrom('Call', 'ParsedContent').id", "7")]
    [InlineData("({ a: [1, 'x'] })", "{\"a\":[1,\"x\"]}")]
    [InlineData("'a,b'.split(',').join('-').padStart(5, '.')", "\"..a-b\"")]
    [InlineData("image.width > image.height ? 'wide' : 'tall'", "\"wide\"")]
    public void JavaScript_computes_from_variables_inputs_outputs_and_the_image(string source, string expected)
    {
        Assert.Equal(expected, JavaScript(source).GetRawText());
    }

    [Theory]
    [InlineData("{{ Variables.Name }} has {{ Input.Images }} images", "lamp has 3 images")]
    [InlineData("{% if Image.Width > 100 %}large{% else %}small{% endif %}", "large")]
    [InlineData("{{ Variables.Missing }}", "")]
    public void Liquid_fills_text_in(string source, string expected)
    {
        Assert.Equal(expected, Languages.Parse("Liquid", source).Evaluate(Scope(), default).GetString());
    }

    [Theory]
    [InlineData("while (true) {}", "statements")]
    [InlineData("for (;;) { try { while (true) {} } catch (e) {} }", "statements")]
    [InlineData("let s = 'aaaaaaaaaaaaaaaa'; while (true) s += s", "memory")]
    [InlineData("const a = []; while (true) a.push('x'.repeat(1000))", "")]
    [InlineData("'a'.repeat(1e9)", "longer than")]
    [InlineData("'a'['rep' + 'eat'](2 ** 30)", "longer than")]
    [InlineData("''.padEnd(1e9)", "longer than")]
    [InlineData("const s = 'a'.repeat(200000); Array(5000).fill(s).join()", "longer than")]
    [InlineData("const s = 'a'.repeat(200000); JSON.stringify(Array(5000).fill(s))", "longer than")]
    [InlineData("const s = 'a'.repeat(200000); s.replace(/a/g, s)", "longer than")]
    [InlineData("try { 'a'.repeat(1e9) } catch (e) { 'caught' }", "longer than")]
    [InlineData("try { setVariable('Count', 'a'.repeat(100000)) } catch (e) { 'caught' }", "more than")]
    [InlineData("setVariable('Count', Array(5000).fill('a'.repeat(20)))", "more than")]
    [InlineData("function f() { return f() + 1 } f()", "deeper")]
    [InlineData("new Array(1e9).fill(0)", "")]
    [InlineData("new Uint8Array(1e9)", "not defined")]
    [InlineData("9n ** 999999999n", "unbounded size")]
    [InlineData("eval('1')", "")]
    [InlineData("new Function('return 1')()", "")]
    [InlineData("getInput.constructor('return 1')()", "")]
    [InlineData("System.IO.File.ReadAllText('/etc/passwd')", "not defined")]
    [InlineData("importNamespace('System')", "not defined")]
    [InlineData("1 / 0", "finite")]
    [InlineData("(() => 1)", "cannot be kept")]
    [InlineData("throw new Error('on purpose')", "on purpose")]
    public void JavaScript_that_would_take_too_much_or_reach_out_ends_soon_with_a_reason(string source, string reason)
    {
        var before = GC.GetTotalAllocatedBytes();
        var clock = Stopwatch.StartNew();
        var error = Assert.ThrowsAny<ExpressionException>(() => JavaScript(source));

        Assert.Contains(reason, error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"It took {clock.Elapsed}.");
        Assert.True(GC.GetTotalAllocatedBytes() - before < 400_000_000, "It took much memory.");
    }

    [Fact]
    public void A_changed_prototype_reaches_no_other_expression()
    {
        Assert.Equal("\"x\"", JavaScript("String.prototype.trim = () => 'x'; Object.prototype.y = 1; ' a '.trim()").GetRawText());

        Assert.Equal("\"a\"", JavaScript("' a '.trim() + ({}.y === undefined ? '' : '!')").GetRawText());
    }

    [Theory]
    [InlineData("{% for i in (1..100000000) %}x{% endfor %}")]
    [InlineData("{% assign s = 'aaaaaaaaaaaaaaaa' %}{% for i in (1..40) %}{% assign s = s | append: s %}{% endfor %}{{ s }}")]
    [InlineData("{% assign s = 'aaaaaaaaaaaaaaaa' %}{% for i in (1..40) %}{% capture s %}{{ s }}{{ s }}{% endcapture %}{% endfor %}{{ s }}")]
    public void Liquid_that_would_take_too_much_ends_soon_with_a_reason(string source)
    {
        var clock = Stopwatch.StartNew();
        Assert.ThrowsAny<ExpressionException>(() => Languages.Parse("Liquid", source).Evaluate(Scope(), default));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"It took {clock.Elapsed}.");
    }

    [Fact]
    public void What_does_not_parse_is_said_before_anything_runs()
    {
        Assert.Contains("not JavaScript", Languages.Check("JavaScript", "1 +"), StringComparison.Ordinal);
        Assert.Contains("not Liquid", Languages.Check("Liquid", "{% if %}"), StringComparison.Ordinal);
        Assert.Contains("not run here", Languages.Check("Python", "1"), StringComparison.Ordinal);
        Assert.Null(Languages.Check("JavaScript", "return variables.X"));
    }

    [Fact]
    public void Variables_are_written_where_that_is_allowed_and_only_read_elsewhere()
    {
        var writes = new Dictionary<string, JsonElement>();
        var value = Languages.Parse("JavaScript", "setVariable('Count', 5); return getVariable('Count') + 1").Evaluate(Scope() with { Writes = writes }, default);

        Assert.Equal(6, value.GetInt32());
        Assert.Equal(5, writes["Count"].GetInt32());
        var error = Assert.Throws<ExpressionException>(() => JavaScript("try { setVariable('Count', 5) } catch (e) {} 1"));
        Assert.Contains("snapshot", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_parsed_expression_serves_many_threads_at_once()
    {
        var parsed = Languages.Parse("JavaScript", "const seen = []; for (let i = 0; i < 50; i++) seen.push(variables.Count); return seen.length");

        var results = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => parsed.Evaluate(Scope(), default).GetInt32())));

        Assert.All(results, result => Assert.Equal(50, result));
    }

    private static JsonElement JavaScript(string source) => Languages.Parse("JavaScript", source).Evaluate(Scope(), default);

    private static ExpressionScope Scope() => new()
    {
        Variables = new Dictionary<string, JsonElement> { ["Name"] = Json("lamp"), ["Count"] = Json(4) },
        Inputs = new Dictionary<string, JsonElement> { ["Images"] = Json(3) },
        Outputs = new Dictionary<string, IReadOnlyDictionary<string, JsonElement>>
        {
            ["a1"] = new Dictionary<string, JsonElement> { ["StatusCode"] = Json(200), ["ParsedContent"] = Json(new { id = 7 }) },
        },
        FindActivity = name => name == "Call" ? "a1" : null,
        Image = new Facts(),
    };

    private static JsonElement Json<T>(T value) => JsonSerializer.SerializeToElement(value);

    private sealed class Facts : IImageFacts
    {
        public string Url => "https://example.com/a.jpg";
        public int Row => 1;
        public int Position => 1;
        public int? Width => 400;
        public int? Height => 300;
        public long? Bytes => 1_000;
        public string? Format => "jpeg";
    }
}
