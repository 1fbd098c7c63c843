using Darkroom.Images.Jpeg;

namespace Darkroom.Tests.Images.Jpeg;

public sealed class RequantiserTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    [InlineData(0.5)]
    public void Coefficients_are_rounded_to_the_coarser_step(double deadZone)
    {
        var random = new Random(4);
        for (var round = 0; round < 200; round++)
        {
            var (from, to) = Tables(random);
            var requantiser = new Requantiser();
            requantiser.Prepare(from, to, deadZone);
            var block = Block(random);
            var survivors = requantiser.Survivors(block);
            for (var k = 1; k < 64; k++)
            {
                var exact = Math.Abs((int)block[k]) * from[k] / (decimal)to[k];
                var expected = (int)Math.Floor(exact + 0.5m - (decimal)deadZone) * Math.Sign(block[k]);
                Assert.Equal(expected != 0, (survivors >> k & 1) != 0);
                if (expected != 0)
                    Assert.Equal(expected, requantiser.Ac(block[k], k));
            }

            Assert.Equal(Math.Sign(block[0]) * (int)Math.Floor(Math.Abs((int)block[0]) * from[0] / (decimal)to[0] + 0.5m), requantiser.Dc(block[0]));
        }
    }

    [Fact]
    public void Nothing_changes_where_the_step_stays()
    {
        var (from, _) = Tables(new Random(5));
        var requantiser = new Requantiser();
        requantiser.Prepare(from, from, 0.3);
        for (var value = -1023; value <= 1023; value++)
        {
            Assert.Equal(value, requantiser.Dc(value));
            Assert.Equal(value, requantiser.Ac(value, 17));
        }
    }

    [Fact]
    public void All_ways_to_find_the_survivors_agree()
    {
        var random = new Random(6);
        for (var round = 0; round < 500; round++)
        {
            var (from, to) = Tables(random);
            var requantiser = new Requantiser();
            requantiser.Prepare(from, to, round % 6 / 10.0);
            var block = Block(random);
            var expected = requantiser.SurvivorsOneByOne(block);
            Assert.Equal(expected, requantiser.SurvivorsByVector128(block));
            Assert.Equal(expected, requantiser.SurvivorsByVector256(block));
        }
    }

    private static (ushort[] From, ushort[] To) Tables(Random random)
    {
        var from = Enumerable.Range(0, 64).Select(_ => (ushort)random.Next(1, 60)).ToArray();
        return (from, [.. from.Select(step => (ushort)Math.Min(255, step + random.Next(60)))]);
    }

    private static short[] Block(Random random) => [.. Enumerable.Range(0, 64).Select(k => (short)(random.Next(-1023, 1024) >> random.Next(11)))];
}
