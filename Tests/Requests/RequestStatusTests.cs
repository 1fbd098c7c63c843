using Darkroom.Requests;

namespace Darkroom.Tests.Requests;

public sealed class RequestStatusTests
{
    [Theory]
    [InlineData("Finished", 10, 10, true, RequestStatus.Completed)]
    [InlineData("Finished", 10, 9, true, RequestStatus.CompletedWithErrors)]
    [InlineData("Finished", 10, 0, true, RequestStatus.CompletedWithErrors)]
    [InlineData("Finished", 10, 10, false, RequestStatus.Failed)]
    [InlineData("Faulted", 10, 10, true, RequestStatus.Failed)]
    [InlineData("Faulted", 10, 3, false, RequestStatus.Failed)]
    [InlineData("Cancelled", 10, 10, true, RequestStatus.Cancelled)]
    public void Final_status_follows_from_instance_counts_and_output(
        string subStatus, int images, int succeeded, bool hasOutput, RequestStatus expected)
    {
        Assert.Equal(expected, RequestStatuses.AtEnd(subStatus, images, succeeded, hasOutput));
    }
}
