using Darkroom.Tests.Images.Decoders;

// The programs that tests start as separate processes. The test host itself does not come through here.
return args switch
{
    [StandInDecoder.Verb, ..] => StandInDecoder.Run(),
    [ContainmentProbe.Verb, .. var limits] when OperatingSystem.IsLinux() => ContainmentProbe.Run(limits),
    _ => throw new ArgumentException($"There is no test program '{string.Join(' ', args)}'."),
};
