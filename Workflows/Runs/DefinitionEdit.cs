using Darkroom.Engine.Definitions;

namespace Darkroom.Runs;

/// <summary>How an attempt to change a definition ended.</summary>
public abstract record DefinitionEdit
{
    private DefinitionEdit()
    {
    }

    /// <summary>Done; this is the version as it is now.</summary>
    /// <param name="Version">What the definition's editor goes on with.</param>
    /// <param name="WasAlready">True if it was so before and nothing was changed.</param>
    public sealed record Done(WorkflowDefinition Version, bool WasAlready = false) : DefinitionEdit;

    /// <summary>The content is kept as a draft but cannot be published.</summary>
    public sealed record Invalid(WorkflowDefinition Draft, IReadOnlyList<string> Messages) : DefinitionEdit;

    /// <summary>Not done: it would undo what somebody else did, or take away what is in use.</summary>
    public sealed record Refused(string Code, string Message) : DefinitionEdit;

    /// <summary>There is no such definition or version.</summary>
    public sealed record Missing : DefinitionEdit;
}

/// <summary>Who saves, and over what.</summary>
/// <param name="Editor">Tells editors apart: two windows, two people.</param>
/// <param name="Revision">The revision that the editor last saw; null if it says nothing.</param>
/// <param name="VersionId">The version that it believes to be editing; null if it says nothing.</param>
public sealed record EditBase(string Editor, Guid? Revision, string? VersionId);
