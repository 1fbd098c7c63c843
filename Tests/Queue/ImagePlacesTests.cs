using Darkroom.Data;
using Darkroom.Images;
using Darkroom.Worker.Images;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Queue;

public sealed class ImagePlacesTests
{
    private const int Total = 12;

    private static readonly OwnerId Alice = new(Guid.NewGuid());

    private readonly PixelBudget _codecs = new(Options.Create(new ImageOptions { CodecSlots = 1 }));

    [Fact]
    public async Task While_images_wait_for_a_codec_an_owner_gets_fewer_places_and_while_none_does_more()
    {
        var places = new ImagePlaces(Total, batch: 1, _codecs);
        var waiting = Enumerable.Range(0, 4).Select(_ => _codecs.EnterAsync(Alice, 1, CancellationToken.None)).ToList();
        Take(places, Total);

        EndOneAfterAnother(places, 3);
        Assert.Equal(Total - 3, places.Count().PerOwner);
        EndOneAfterAnother(places, 9);
        // As many as keep the codec busy.
        Assert.Equal(4, places.Count().PerOwner);

        foreach (var image in waiting)
            (await image).Dispose();
        using var running = await _codecs.EnterAsync(Alice, 1, CancellationToken.None);
        Take(places, 4);
        EndOneAfterAnother(places, 4);
        Assert.Equal(8, places.Count().PerOwner);
    }

    [Fact]
    public async Task Images_that_fill_the_places_of_their_owner_but_not_the_codecs_give_it_all_places()
    {
        var places = new ImagePlaces(Total, batch: 1, _codecs);
        await ShrinkAsync(places);
        Assert.Equal(4, places.Count().PerOwner);

        Take(places, 4);

        Assert.Equal(Total, places.Count().PerOwner);
    }

    [Fact]
    public async Task Few_images_do_not_raise_the_limit()
    {
        var places = new ImagePlaces(Total, batch: 1, _codecs);
        await ShrinkAsync(places);

        Take(places, 3);
        EndOneAfterAnother(places, 3);

        Assert.Equal(4, places.Count().PerOwner);
    }

    private async Task ShrinkAsync(ImagePlaces places)
    {
        var waiting = Enumerable.Range(0, 4).Select(_ => _codecs.EnterAsync(Alice, 1, CancellationToken.None)).ToList();
        Take(places, Total);
        EndOneAfterAnother(places, Total);
        foreach (var image in waiting)
            (await image).Dispose();
        places.Count();
    }

    private static void Take(ImagePlaces places, int count)
    {
        for (var i = 0; i < count; i++)
            places.Take(Alice);
    }

    private static void EndOneAfterAnother(ImagePlaces places, int count)
    {
        for (var i = 0; i < count; i++)
            places.Release(Alice);
    }
}
