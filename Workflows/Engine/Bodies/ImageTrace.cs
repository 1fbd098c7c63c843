namespace Darkroom.Engine.Bodies;

/// <summary>The way of one image through its body, for the counts of its activities.</summary>
/// <param name="Passed">Node ids of the activities that completed, in order; one that ran twice is there twice.</param>
/// <param name="Stopped">Node id of the activity that did not complete, or null.</param>
public sealed record ImageTrace(IReadOnlyList<string> Passed, string? Stopped);
