using Darkroom.Engine.Definitions;

namespace Darkroom.Runs;

/// <summary>The result of an attempt to change a definition.</summary>
public abstract record DefinitionEdit
{
    private DefinitionEdit()
    {
    }

    /// <summary>Done; this is the version as it is now.</summary>
    /// <param name="Version">The version that the editor continues with.</param>
    /// <param name="WasAlready">True if it was already so and nothing was changed.</param>
    public sealed record Done(WorkflowDefinition Version, bool WasAlready = false) : DefinitionEdit;

    /// <summary>The content is saved as a draft but cannot be published.</summary>
    public sealed record Invalid(WorkflowDefinition Draft, IReadOnlyList<string> Messages) : DefinitionEdit;

    /// <summary>Refused: it would undo somebody else's change, or remove what is in use.</summary>
    public sealed record Refused(string Code, string Message) : DefinitionEdit;

    /// <summary>There is no such definition or version.</summary>
    public sealed record Missing : DefinitionEdit;
}

/// <summary>Who saves, and what the save is based on.</summary>
/// <param name="Editor">Distinguishes editors: two windows, two people.</param>
/// <param name="Revision">The revision that the editor last saw; null if it does not say.</param>
/// <param name="VersionId">The version that the editor believes it is editing; null if it does not say.</param>
public sealed record EditBase(string Editor, Guid? Revision, string? VersionId);
