using System.ComponentModel.DataAnnotations;
using Darkroom.Egress;
using Darkroom.Images;
using Darkroom.Tests.Egress;

namespace Darkroom.Tests.Images;

public sealed class ImagePlanTests
{
    [Fact]
    public void Adding_a_step_does_not_change_the_plan()
    {
        var compress = ImagePlan.Empty.Add(new ImageStep.Compress());
        Assert.Empty(ImagePlan.Empty.Steps);
        Assert.Equal(50, Assert.IsType<ImageStep.Compress>(Assert.Single(compress.Steps)).Quality);
    }

    [Theory]
    [InlineData(ResizeMode.Fit, 100, 100, 4_000, 3_000, 100, 75)]
    [InlineData(ResizeMode.Fill, 100, 100, 4_000, 3_000, 100, 100)]
    [InlineData(ResizeMode.Crop, 100, 100, 4_000, 3_000, 100, 100)]
    [InlineData(ResizeMode.Fit, 1, 1, 10_000, 1, 1, 1)]
    [InlineData(ResizeMode.Fill, 1, null, 3, 16_000, 1, 5_333)]
    public void Size_of_the_result_follows_the_mode(ResizeMode mode, int? boxWidth, int? boxHeight, int width, int height, int expectedWidth, int expectedHeight)
    {
        var size = ResizeMath.Plan(new ImageStep.Resize(mode, boxWidth, boxHeight), width, height);
        Assert.Equal((expectedWidth, expectedHeight), (size.Width, size.Height));
    }

    [Fact]
    public void Result_never_exceeds_the_image_or_the_box()
    {
        int[] sides = [1, 2, 3, 7, 99, 100, 101, 1_999, 16_384];
        foreach (var mode in Enum.GetValues<ResizeMode>())
            foreach (var width in sides)
                foreach (var height in sides)
                    foreach (var boxWidth in sides)
                        foreach (var boxHeight in sides)
                        {
                            var size = ResizeMath.Plan(new ImageStep.Resize(mode, boxWidth, boxHeight), width, height);
                            Assert.InRange(size.Width, 1, Math.Min(width, boxWidth));
                            Assert.InRange(size.Height, 1, Math.Min(height, boxHeight));
                            Assert.InRange(size.Width, 1, size.ScaledWidth);
                            Assert.InRange(size.Height, 1, size.ScaledHeight);
                        }
    }

    [Fact]
    public void Options_that_contradict_each_other_are_refused()
    {
        Assert.Single(Problems(new EgressOptions { Headers = TimeSpan.FromSeconds(20), Total = TimeSpan.FromSeconds(10) }));
        Assert.Single(Problems(new EgressOptions { Connect = TimeSpan.FromSeconds(20) }));
        Assert.Single(Problems(new EgressOptions { AdditionalPorts = [8080, 0] }));
        Assert.Single(Problems(new ImageOptions { MegapixelsInFlight = 10 }));
        Assert.Empty(Problems(new EgressOptions()));
        Assert.Empty(Problems(new ImageOptions()));
    }

    private static List<ValidationResult> Problems(object options)
    {
        var problems = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), problems, validateAllProperties: true);
        return problems;
    }
}
