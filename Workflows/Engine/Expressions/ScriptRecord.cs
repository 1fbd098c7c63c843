using Jint;
using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using Jint.Runtime.Descriptors;
using JavaScriptEngine = Jint.Engine;

namespace Darkroom.Engine.Expressions;

/// <summary>An object of named values, each created when it is first read.</summary>
/// <param name="write">Receives what is assigned to a member.</param>
internal sealed class ScriptRecord(
    JavaScriptEngine engine, IEnumerable<string> names, Func<string, JsValue> read, Action<string, JsValue> write) : ObjectInstance(engine)
{
    private readonly HashSet<string> _names = new(names, StringComparer.Ordinal);
    private readonly Dictionary<string, JsValue> _read = new(StringComparer.Ordinal);

    /// <summary>Members that were read or assigned: their lists and objects may have changed since.</summary>
    public IEnumerable<KeyValuePair<string, JsValue>> Touched => _read;

    public override PropertyDescriptor GetOwnProperty(JsValue property)
    {
        if (!property.IsString() || !_names.Contains(property.AsString()))
            return PropertyDescriptor.Undefined;
        var name = property.AsString();
        if (!_read.TryGetValue(name, out var value))
            _read[name] = value = read(name);
        return new PropertyDescriptor(value, writable: true, enumerable: true, configurable: true);
    }

    public override List<JsValue> GetOwnPropertyKeys(Types types = Types.String | Types.Symbol) => [.. _names.Select(name => (JsValue)name)];

    public override IEnumerable<KeyValuePair<JsValue, PropertyDescriptor>> GetOwnProperties() =>
        GetOwnPropertyKeys().Select(key => KeyValuePair.Create(key, GetOwnProperty(key)));

    public override bool Set(JsValue property, JsValue value, JsValue receiver) => Assign(property, value);

    public override bool DefineOwnProperty(JsValue property, PropertyDescriptor desc) => desc.Value is { } value && Assign(property, value);

    public override bool Delete(JsValue property) => false;

    /// <summary>Makes the next read look the member up again, after it was written in another way.</summary>
    public void Forget(string name) => _read.Remove(name);

    private bool Assign(JsValue property, JsValue value)
    {
        var name = TypeConverter.ToString(property);
        write(name, value);
        _read[name] = value;
        return true;
    }
}
