using System.Diagnostics;
using System.Text.Json;
using Darkroom.Engine.Expressions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Darkroom.Tests.Engine;

public sealed class ExpressionTests
{
    private static readonly FakeTimeProvider Time = new(new DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero));

    private static readonly ExpressionLanguages Languages = new(Options.Create(new ExpressionOptions { Timeout = TimeSpan.FromMilliseconds(300) }), Time, new Random(1));

    [Theory]
    [InlineData("1 + 1", "2")]
    [InlineData("return variables.Count * 2", "8")]
    [InlineData("getVariable('Name').toUpperCase()", "\"LAMP\"")]
    [InlineData("getInput('Images') > 2", "true")]
    [InlineData("getOutputFrom('Call', 'StatusCode')", "200")]
    [InlineData("getOutputFrom('Call', 'ParsedContent').id", "7")]
    [InlineData("({ a: [1, 'x'] })", "{\"a\":[1,\"x\"]}")]
    [InlineData("'a,b'.split(',').join('-').padStart(5, '.')", "\"..a-b\"")]
    [InlineData("getName() + getCount() + getImages()", "\"lamp43\"")]
    [InlineData("input.Images + Object.keys(input).length", "5")]
    [InlineData("getCorrelationId()", "\"r-1\"")]
    [InlineData("Object.entries(variables)", "[[\"Name\",\"lamp\"],[\"Count\",4]]")]
    [InlineData("({ ...variables, ...input })", "{\"Name\":\"lamp\",\"Count\":4,\"Images\":3,\"RequestId\":\"r-1\"}")]
    [InlineData("variables.Missing ?? 'none'", "\"none\"")]
    [InlineData("[isNullOrEmpty(null), isNullOrEmpty(''), isNullOrEmpty(' '), isNullOrWhiteSpace(' '), isNullOrWhiteSpace('a')]", "[true,true,false,true,false]")]
    [InlineData("toJson({ a: [1] }).length", "9")]
    [InlineData("new Date().toISOString()", "\"2026-02-03T04:05:06.000Z\"")]
    [InlineData("/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(newGuid()) && newGuid() !== newGuidString()", "true")]
    [InlineData("const { Name: { length } } = variables; return length", "4")]
    [InlineData("image.width > image.height ? 'wide' : 'tall'", "\"wide\"")]
    public void JavaScript_computes_from_variables_inputs_outputs_and_the_image(string source, string expected)
    {
        Assert.Equal(expected, JavaScript(source).GetRawText());
    }

    [Theory]
    [InlineData("{{ Variables.Name }} has {{ Input.Images }} images", "lamp has 3 images")]
    [InlineData("{% if Image.Width > 100 %}large{% else %}small{% endif %}", "large")]
    [InlineData("{{ Variables.Missing }}", "")]
    [InlineData("{{ CorrelationId }}", "r-1")]
    [InlineData("{{ 'b,a' | split: ',' | sort | join: '-' }}", "a-b")]
    [InlineData("{{ 'b,a,b' | split: ',' | uniq | reverse | first }}", "a")]
    [InlineData("{% assign s = 'cab' | split: '' | sort_natural %}{% for c in s limit: 2 offset: 1 reversed %}{{ c | upcase }}{% else %}none{% endfor %}", "CB")]
    [InlineData("{% for i in (1..2) %}{{ i }}{% endfor %}{% for i in (1..9) %}{% if i == 2 or i > 3 %}{{ i | times: 2 }}{% elsif i == 3 %}three{% endif %}{% if i == 5 %}{% break %}{% endif %}{% endfor %}", "124three810")]
    [InlineData("{% capture s %}{% for i in (1..3) %}{% ifchanged %}{{ i | at_most: 2 }}{% endifchanged %}{% endfor %}{% endcapture %}{{ s | append: '!' }}", "12!")]
    [InlineData("{% case Variables.Name %}{% when 'lamp' %}{{ 3.14159 | format_number: 'N2' }}{% else %}none{% endcase %}", "3.14")]
    [InlineData("{% assign s = 'abcdefghij' | split: '' %}{% for i in (1..3) %}{% for j in (1..9) %}{% assign k = k | plus: 1 %}{% endfor %}{% endfor %}{{ k }}{{ s.size }}", "2710")]
    public void Liquid_fills_in_text(string source, string expected)
    {
        Assert.Equal(expected, Languages.Parse("Liquid", source).Evaluate(Scope(), default).GetString());
    }

    [Theory]
    [InlineData("while (true) {}", "statements")]
    [InlineData("for (;;) { try { while (true) {} } catch (e) {} }", "statements")]
    [InlineData("let s = 'aaaaaaaaaaaaaaaa'; while (true) s += s", "longer than")]
    [InlineData("const a = []; while (true) a.push('x'.repeat(1000))", "")]
    [InlineData("'a'.repeat(1e9)", "longer than")]
    [InlineData("'a'['rep' + 'eat'](2 ** 30)", "longer than")]
    [InlineData("const { ['rep' + 'eat']: f } = ''; f.call('a', 2 ** 30)", "longer than")]
    [InlineData("const a = 'a'; String = {}; a['rep' + 'eat'](2 ** 30)", "longer than")]
    [InlineData("const k = { toString: () => 'rep' + 'eat' }; 'a'[k](2 ** 30)", "longer than")]
    [InlineData("Object.getOwnPropertyDescriptor(String.prototype, 'rep' + 'eat').value.call('a', 2 ** 30)", "longer than")]
    [InlineData("[].values()['to' + 'Array'].call({ next: Object })", "")]
    [InlineData("[]['val' + 'ues']().toArray.call({ next: Object })", "")]
    [InlineData("new this['Pro' + 'xy']({}, {})", "not a constructor")]
    [InlineData("new (Object.getOwnPropertyDescriptor(globalThis, 'Pro' + 'xy').value)({}, {})", "")]
    [InlineData("''.padEnd(1e9)", "longer than")]
    [InlineData("String.prototype.repeat.call(5, 1e9)", "longer than")]
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
    public void JavaScript_that_exceeds_a_limit_or_reaches_outside_fails_fast_with_a_reason(string source, string reason)
    {
        Assert.Contains(reason, AssertRefused(source), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("s + s", ", ", 3_000)]
    [InlineData("${s}", "", 3_000, "`")]
    [InlineData("t += t", ", ", 3_000)]
    [InlineData("s.toUpperCase()", ", ", 1_500)]
    [InlineData("...a", ", ", 3_000, "[]")]
    [InlineData("...a", ", ", 3_000, "Math.max()")]
    [InlineData("...a", ", ", 3_000, "[].concat()")]
    [InlineData("-s", ", ", 10_000)]
    [InlineData("Math.abs(s)", ", ", 2_500)]
    [InlineData("s", ", ", 10_000, "Math.max()")]
    public void One_statement_with_many_parts_fails_fast(string part, string between, int times, string around = "")
    {
        var parts = string.Join(between, Enumerable.Repeat(part, times));
        var (open, close) = around.Length == 0 ? ("", "") : around.Length == 1 ? (around, around) : (around[..^1], around[^1..]);

        AssertRefused($"const s = '1'.repeat(200000), a = Array(8000).fill(0); let t = 'xxxx'; {open}{parts}{close}");
    }

    [Theory]
    [InlineData("[...Array(8000).keys()].reduce(s => s + s, 'xxxx')")]
    [InlineData("Array(8000).fill('a'.repeat(200000)).map(Function.prototype.call, String.prototype.toUpperCase)")]
    [InlineData("Array(8000).fill('a'.repeat(200000)).map(x => x + x + x)")]
    [InlineData("Array(8000).fill(0).map(() => Array(8000).fill(0))")]
    [InlineData("Array(8000).fill(0).map(function (a, b, c, d = Array(8000).fill(a)) {})")]
    [InlineData("Array(8000).fill(Array(8000).fill(0)).map(JSON.stringify)")]
    [InlineData("Array(8000).fill(Array(8000).fill(Array(8000).fill(0))) + ''")]
    [InlineData("Array(8000).fill(Array(8000).fill(Array(8000).fill([]))).flat(Infinity)")]
    [InlineData("Array(8000).fill(Array(8000).fill(0)).map(Function.prototype.call, Array.prototype.slice)")]
    [InlineData("Array(8000).fill('é'.repeat(200000)).map(encodeURIComponent)")]
    [InlineData("Array(8000).fill('1'.repeat(200000)).map(Number)")]
    [InlineData("Array(8000).fill(0).map(Number.bind(null, '1'.repeat(200000)))")]
    [InlineData("Array(8000).fill(2).map(Number.prototype.toString, 1e300)")]
    [InlineData("'a'.repeat(2000).replace(/a/g, '$`$`$`$`$`$`$`$`')")]
    [InlineData("const s = 'b'.repeat(200000); 'a'.repeat(200000).replace(/a/g, () => s)")]
    [InlineData("'a'.repeat(200000).match(/a/g).length")]
    [InlineData("/(a+)+$/.test('a'.repeat(40) + 'b')")]
    [InlineData("JSON.parse('[' + '0,'.repeat(100000) + '0]').length")]
    [InlineData("let a = []; for (let i = 0; i < 30; i++) a = [a, a]; return a")]
    [InlineData("const it = [].values(); it.next = Object; it.forEach(Object)")]
    [InlineData("new Set([1]).union({ size: 1, has: Boolean, keys: () => ({ next: Object }) })")]
    [InlineData("const o = {}; let p = o; for (let i = 0; i < 9000; i++) p = p.a = {}; JSON.stringify(o)")]
    [InlineData("const o = { toJSON() { return { a: o } } }; return o")]
    [InlineData("JSON.stringify(1, () => ({ a: 1 }))")]
    [InlineData("let f = Number; for (let i = 0; i < 20000; i++) f = f.bind(null); f(1)")]
    [InlineData("const f = () => f(); f()")]
    [InlineData("({ get x() { return this.x } }).x")]
    [InlineData("new Proxy({}, { get: (t, k, r) => r[k] }).x")]
    [InlineData("async function f() { while (true) await 1 } f()")]
    [InlineData("String.raw({ raw: Array(8000).fill('x'.repeat(200000)) })")]
    public void JavaScript_that_does_its_work_inside_one_statement_fails_fast(string source) => AssertRefused(source);

    [Theory]
    [InlineData("Array.from({ length: 9000 }, (_, i) => i).filter(i => i % 2).map(String).join('').length", "17445")]
    [InlineData("Object.entries({ a: 1, b: 2 }).map(([k, v]) => `${k}=${v}`).join('&')", "\"a=1&b=2\"")]
    [InlineData("let n = 0; for (let i = 0; i < 9000; i++) n += i * 2; return n", "80991000")]
    [InlineData("const checkpoint = 1; return checkpoint + 1", "2")]
    [InlineData("const f = (a, b = a + 1) => (a, b) + '!'; f(1)", "\"2!\"")]
    [InlineData("['1', '2'].map(Number)", "[1,2]")]
    [InlineData("const o = { a: 1 }; for (const k in o) o[k + k] = o[k]++; return o", "{\"a\":2,\"aa\":1}")]
    [InlineData("const rows = [[1, 2], [3]]; let n = 0; for (let i = 0; i < rows.length; i++) n += rows[i][rows[i].length - 1]; return n", "5")]
    [InlineData("Math.max(...[1, 2, 3]) + [4, 5]", "\"34,5\"")]
    [InlineData("'2024-01-31'.replace(/(\\d+)-(\\d+)-(\\d+)/, '$3.$2.$1')", "\"31.01.2024\"")]
    [InlineData("JSON.stringify({ a: [1, { b: 'é' }], c: undefined }, null, 2)", "\"{\\n  \\u0022a\\u0022: [\\n    1,\\n    {\\n      \\u0022b\\u0022: \\u0022é\\u0022\\n    }\\n  ]\\n}\"")]
    [InlineData("({ s: new String('x'), d: new Date(0), f: () => 1, l: [undefined], n: NaN })", "{\"s\":\"x\",\"d\":\"1970-01-01T00:00:00.000Z\",\"l\":[null],\"n\":null}")]
    public void Ordinary_scripts_stay_within_the_limits(string source, string expected)
    {
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(expected), JavaScript(source)), JavaScript(source).GetRawText());
    }

    [Fact]
    public void A_changed_prototype_does_not_leak_into_other_expressions()
    {
        Assert.Equal("\"x\"", JavaScript("String.prototype.trim = () => 'x'; Object.prototype.y = 1; ' a '.trim()").GetRawText());

        Assert.Equal("\"a\"", JavaScript("' a '.trim() + ({}.y === undefined ? '' : '!')").GetRawText());
    }

    [Theory]
    [InlineData("{% for i in (1..100000000) %}x{% endfor %}")]
    [InlineData("{% assign s = 'aaaaaaaaaaaaaaaa' %}{% for i in (1..40) %}{% assign s = s | append: s %}{% endfor %}{{ s }}")]
    [InlineData("{% assign s = 'aaaaaaaaaaaaaaaa' %}{% for i in (1..40) %}{% capture s %}{{ s }}{{ s }}{% endcapture %}{% endfor %}{{ s }}")]
    [InlineData("{% for i in (1..1000) %}{% for j in (1..1000) %}{% endfor %}{% endfor %}")]
    [InlineData("{{ 1 | format_number: 'N999999999' }}")]
    [InlineData("{{ '{0,999999999}' | format_string: 1 }}")]
    [InlineData("{{ 'now' | date: '%999999999n' }}")]
    public void Liquid_that_exceeds_a_limit_fails_fast_with_a_reason(string source)
    {
        var clock = Stopwatch.StartNew();
        Assert.ThrowsAny<ExpressionException>(() => Languages.Parse("Liquid", source).Evaluate(Scope(), default));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"It took {clock.Elapsed}.");
    }

    // A text of 8,192 characters: a list of them is within the limit, one of twice as many exceeds it.
    private const string Text = "{% assign s = 'dcba' %}{% for i in (1..11) %}{% assign s = s | append: s %}{% endfor %}";

    [Theory]
    [InlineData("{% assign a = 'abcd' | split: '' | map: 'q' %}", "{% assign a = a | concat: a %}", 30, "list longer than")]
    [InlineData(Text + "{% assign a = s | split: '' %}{{ a", " | concat: a", 200, " }}", "list longer than")]
    [InlineData(Text + "{% assign a = s | append: s | split: '' %}", "", 0, "list longer than")]
    [InlineData(Text + "{% assign a = s | split: ',' %}", "{% assign a = a | concat: a %}", 12, "text longer than")]
    [InlineData(Text + "{{ s | split: '' | join: s", "", 0, " }}", "text longer than")]
    [InlineData(Text + "{% capture t %}", "{{ s }}", 1000, "{% endcapture %}", "comes to more than")]
    [InlineData(Text + "{% ifchanged %}", "{{ s }}", 1000, "{% endifchanged %}", "comes to more than")]
    [InlineData(Text + "{% assign a = s | split: '' %}{% for i in (1..999) %}{% assign b = a", " | sort", 100, " %}{% endfor %}", "longer than 300 milliseconds")]
    [InlineData(Text + "{% assign a = s | split: '' %}{% for i in (1..999) %}{% assign b = a", " | sort_natural | uniq | where: 'q' | map: 'q'", 20, " %}{% endfor %}", "")]
    [InlineData(Text + "{% assign a = s | split: '' %}{% for i in (1..999) %}{% assign b = a", " | sort_natural", 100, " %}{% endfor %}", "longer than 300 milliseconds")]
    [InlineData(Text + "{% assign a = s | split: '' %}{% for i in (1..999) %}{% assign b = a", " | join: '' | split: ''", 100, " %}{% endfor %}", "longer than 300 milliseconds")]
    [InlineData(Text + "{% assign a = s | split: '' %}{% assign b = s | split: '' %}{% for i in (1..999) %}{% if 1 == 2", " or a != b", 100, " %}{% endif %}{% endfor %}", "")]
    [InlineData(Text + "{{ s | split: ''", " | sort", 4500, " }}", "chains more than")]
    [InlineData(Text + "{{ s | split: ''", " | sort", 250, " }}{% for i in (1..1000) %}{% for j in (1..1000) %}{% endfor %}{% endfor %}", "")]
    public void Liquid_is_bounded_in_time_and_in_the_length_of_its_lists(string source, string part, int times, params string[] rest)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        var error = Assert.ThrowsAny<ExpressionException>(() =>
            Languages.Parse("Liquid", source + string.Concat(Enumerable.Repeat(part, times)) + (rest.Length > 1 ? rest[0] : "")).Evaluate(Scope(), default));

        Assert.Contains(rest[^1], error.Message, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"It took {clock.Elapsed}.");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000_000, "It took too much memory.");
    }

    [Fact]
    public void Liquid_sorts_a_list_of_ten_thousand()
    {
        var languages = new ExpressionLanguages(Options.Create(new ExpressionOptions { Timeout = TimeSpan.FromMilliseconds(10_000) }), Time, new Random(1));
        var scope = Scope() with { Variables = new Dictionary<string, JsonElement> { ["List"] = Json(Enumerable.Range(0, 10_000).Reverse()) } };

        Assert.Equal("0", languages.Parse("Liquid", "{{ Variables.List | sort | first }}").Evaluate(scope, default).GetString());
    }

    [Fact]
    public void A_cancelled_Liquid_evaluation_is_not_a_failure()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() => Languages.Parse("Liquid", "{{ 'b,a' | split: ',' | sort | first }}").Evaluate(Scope(), stop.Token));
    }

    [Theory]
    [InlineData("", "{% if a %}", 1_500, "", "blocks")]
    [InlineData("{% liquid", "\nif a", 3_000, "\n%}", "blocks")]
    [InlineData("{{ ", "a[", 15_000, "1 }}", "brackets")]
    [InlineData("{{ ", "(", 30_000, "", "brackets")]
    [InlineData("{% if a", " and a", 5_000, " %}x{% endif %}", "conditions")]
    [InlineData("{% if a", "\nand a", 4_000, " %}x{% endif %}", "conditions")]
    public void Liquid_nested_too_deeply_for_the_stack_is_refused_before_it_is_parsed(string start, string part, int times, string end, string reason) =>
        Assert.Contains(reason, Languages.Check("Liquid", start + string.Concat(Enumerable.Repeat(part, times)) + end), StringComparison.Ordinal);

    [Fact]
    public void Parse_errors_are_reported_before_anything_runs()
    {
        Assert.Contains("not JavaScript", Languages.Check("JavaScript", "1 +"), StringComparison.Ordinal);
        Assert.Contains("not Liquid", Languages.Check("Liquid", "{% if %}"), StringComparison.Ordinal);
        Assert.Contains("not run here", Languages.Check("Python", "1"), StringComparison.Ordinal);
        Assert.Null(Languages.Check("JavaScript", "return variables.X"));
    }

    [Fact]
    public void Variables_are_writable_where_allowed_and_read_only_elsewhere()
    {
        var writes = new Dictionary<string, JsonElement>();
        var value = Languages.Parse("JavaScript", "setVariable('Count', 5); return getVariable('Count') + 1").Evaluate(Scope() with { Writes = writes }, default);

        Assert.Equal(6, value.GetInt32());
        Assert.Equal(5, writes["Count"].GetInt32());
        var error = Assert.Throws<ExpressionException>(() => JavaScript("try { setVariable('Count', 5) } catch (e) {} 1"));
        Assert.Contains("snapshot", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("variables.Count = 5; return variables.Count + getVariable('Count')", "10", "5")]
    [InlineData("setCount(5); return variables.Count", "5", "5")]
    [InlineData("variables.Count; setVariable('Count', 6); return variables.Count", "6", "6")]
    [InlineData("variables.Count = [1]; variables.Count.push(2); return getCount().length", "1", "[1,2]")]
    [InlineData("variables.Count++", "4", "5")]
    public void Variables_are_written_in_each_of_Elsas_ways(string source, string expected, string written)
    {
        var writes = new Dictionary<string, JsonElement>();

        Assert.Equal(expected, Languages.Parse("JavaScript", source).Evaluate(Scope() with { Writes = writes }, default).GetRawText());
        Assert.Equal(written, writes["Count"].GetRawText());
        Assert.Throws<ExpressionException>(() => JavaScript(source));
    }

    [Theory]
    [InlineData("input.Images = 1")]
    [InlineData("image.width = 1")]
    [InlineData("variables.Missing = 1")]
    public void Read_only_and_missing_members_cannot_be_set(string source)
    {
        Assert.Contains("set", Assert.Throws<ExpressionException>(() => Languages.Parse("JavaScript", source).Evaluate(Scope() with { Writes = [] }, default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_values_come_from_the_given_source()
    {
        JsonElement Draw() => new ExpressionLanguages(Options.Create(new ExpressionOptions()), Time, new Random(7))
            .Parse("JavaScript", "[Math.random(), newGuid()]").Evaluate(Scope(), default);

        Assert.Equal(Draw().GetRawText(), Draw().GetRawText());
    }

    [Fact]
    public void The_editor_is_given_exactly_the_names_that_exist()
    {
        var scope = Scope() with
        {
            Variables = new Dictionary<string, JsonElement> { ["count"] = Json(1), ["Über2"] = Json(2), ["odd name"] = Json(3), ["a-b"] = Json(4), ["Variable"] = Json(5) },
        };
        ScriptMember[] variables = [.. scope.Variables.Keys.Select(name => new ScriptMember(name, "number"))];
        ScriptMember[] inputs = [.. scope.Inputs.Keys.Select(name => new ScriptMember(name))];
        var declared = ScriptGlobals.Declare(variables, inputs).Split('\n').Where(line => line.StartsWith("declare ", StringComparison.Ordinal))
            .Select(line => line.Split(' ', '(', ':')[2]).Order(StringComparer.Ordinal).ToArray();

        JsonElement Run(string source) => Languages.Parse("JavaScript", source).Evaluate(scope, default);

        // With computed names, all of them exist.
        var found = Run("const all = 'x'; this[all]; return Object.getOwnPropertyNames(this)").EnumerateArray().Select(name => name.GetString()!);
        var own = Languages.Parse("JavaScript", "this['x' + 1]; return Object.getOwnPropertyNames(this)").Evaluate(new ExpressionScope(), default)
            .EnumerateArray().Select(name => name.GetString()!).Except(ScriptGlobals.For([], []).Select(global => global.Name));
        Assert.Equal(declared, found.Except(own).Order(StringComparer.Ordinal));
        // And one by one, by name.
        Assert.All(declared, name => Assert.NotEqual("undefined", Run($"typeof {name}").GetString()));
        Assert.Contains("setCount", declared);
        Assert.Contains("getÜber2", declared);
        Assert.DoesNotContain(declared, name => name.Contains("odd", StringComparison.OrdinalIgnoreCase));
        Assert.Equal("[3,null,4,5]", Run("[getVariable('odd name'), variables['odd name'], getVariable('a-b'), variables.Variable]").GetRawText());
    }

    [Fact]
    public void A_cancelled_evaluation_is_not_a_failure()
    {
        using var gone = new CancellationTokenSource();
        gone.Cancel();

        var source = Languages.Parse("JavaScript", "for (let i = 0; i < 40000; i++); return 1");
        Assert.ThrowsAny<OperationCanceledException>(() => source.Evaluate(Scope(), gone.Token));
        Assert.Equal(1, source.Evaluate(Scope(), default).GetInt32());
    }

    [Fact]
    public async Task One_parsed_expression_serves_many_threads_at_once()
    {
        var parsed = Languages.Parse("JavaScript", "const seen = []; for (let i = 0; i < 50; i++) seen.push(variables.Count); return seen.length");

        var results = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => parsed.Evaluate(Scope(), default).GetInt32())));

        Assert.All(results, result => Assert.Equal(50, result));
    }

    private static string AssertRefused(string source)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        var error = Assert.ThrowsAny<ExpressionException>(() => JavaScript(source));

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"It took {clock.Elapsed}.");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 200_000_000, "It took too much memory.");
        return error.Message;
    }

    private static JsonElement JavaScript(string source) => Languages.Parse("JavaScript", source).Evaluate(Scope(), default);

    private static ExpressionScope Scope() => new()
    {
        Variables = new Dictionary<string, JsonElement> { ["Name"] = Json("lamp"), ["Count"] = Json(4) },
        Inputs = new Dictionary<string, JsonElement> { ["Images"] = Json(3), ["RequestId"] = Json("r-1") },
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
