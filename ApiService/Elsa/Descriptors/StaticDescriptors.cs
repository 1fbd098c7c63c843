using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Darkroom.Engine.Flow;

namespace Darkroom.Api.Elsa.Descriptors;

/// <summary>A language for inputs. Only those that the engine supports are listed.</summary>
internal sealed record ExpressionLanguageView(string Type, string DisplayName, bool IsBrowsable, string? MonacoLanguage)
{
    public bool IsSerializable { get; } = true;

    public IReadOnlyDictionary<string, object> Properties { get; } =
        MonacoLanguage is null ? new Dictionary<string, object>() : new Dictionary<string, object> { ["MonacoLanguage"] = MonacoLanguage };

    public static IReadOnlyList<ExpressionLanguageView> All { get; } =
    [
        new("Literal", "Literal", IsBrowsable: false, null),
        new("Object", "Object", IsBrowsable: false, "json"),
        new("Variable", "Variable", IsBrowsable: true, null),
        new("Input", "Input", IsBrowsable: true, null),
        .. ExpressionLanguages.Default.All.Select(language => new ExpressionLanguageView(language.Name, language.Name, IsBrowsable: true, language.EditorLanguage)),
    ];
}

internal sealed record StrategyView(string TypeName, string DisplayName, string Description)
{
    /// <summary>Each request starts its own instance, whatever else is running.</summary>
    public static IReadOnlyList<StrategyView> Activation { get; } =
        [new($"{WorkflowSettings.AllowAlways}, {WorkflowSettings.Assembly}", "Always", "Every request starts an instance of its own.")];

    public static IReadOnlyList<StrategyView> Incident { get; } =
        [new($"{WorkflowSettings.Fault}, {WorkflowSettings.Assembly}", "Fault", "An activity that fails for good ends the request.")];
}

/// <summary>A type that a variable may have.</summary>
internal sealed record VariableTypeView(string TypeName, string DisplayName, string Category, string Description)
{
    public static IReadOnlyList<VariableTypeView> All { get; } =
    [
        new("String", "Text", "Primitives", "Text of any length."),
        new("Int32", "Whole number", "Primitives", "A whole number of 32 bits."),
        new("Int64", "Large whole number", "Primitives", "A whole number of 64 bits."),
        new("Double", "Number", "Primitives", "A number with a fraction."),
        new("Boolean", "Yes or no", "Primitives", "True or false."),
        new("Object", "Any value", "Primitives", "Any JSON value."),
    ];
}

/// <summary>Where a variable's value is stored.</summary>
internal sealed record StorageDriverView(string TypeName, string DisplayName, double Priority, bool Deprecated)
{
    public static IReadOnlyList<StorageDriverView> All { get; } = [new($"Elsa.Workflows.WorkflowInstanceStorageDriver, {WorkflowSettings.Assembly}", "Workflow instance", 5, false)];
}
