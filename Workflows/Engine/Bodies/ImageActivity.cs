namespace Darkroom.Engine.Bodies;

/// <summary>An activity in a fan-out's body: runs in memory, on the working image. One instance of the class serves all images.</summary>
public abstract class ImageActivity
{
    /// <summary>Acts on the working image and returns the outcome that the body continues with.</summary>
    /// <exception cref="Images.ImageFailedException">The image cannot be processed, now or ever.</exception>
    public abstract ValueTask<string> ExecuteAsync(ImageRun run, ActivityInputs inputs, CancellationToken cancellationToken);
}
