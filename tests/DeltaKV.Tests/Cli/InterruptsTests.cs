using DeltaKV.Cli;

namespace DeltaKV.Tests.Cli;

public sealed class InterruptsTests
{
    [Fact]
    public void TheFirstEndsTheProgramAndTheSecondIsNotForUs()
    {
        using var interrupts = new Interrupts();

        Assert.True(interrupts.Raise());
        Assert.True(interrupts.Program.IsCancellationRequested);
        Assert.False(interrupts.Raise());
    }

    [Fact]
    public async Task APartIsStoppedAlone()
    {
        using var interrupts = new Interrupts();

        for (var part = 0; part < 2; part++)
        {
            var done = await interrupts.TryAsync(async stop =>
            {
                Assert.True(interrupts.Raise());
                Assert.False(interrupts.Raise());
                await Task.Delay(Timeout.Infinite, stop);
            });
            Assert.False(done);
        }

        Assert.False(interrupts.Program.IsCancellationRequested);
        Assert.True(await interrupts.TryAsync(_ => Task.CompletedTask));
        Assert.True(interrupts.Raise());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => interrupts.TryAsync(stop => Task.Delay(Timeout.Infinite, stop)));
    }

    [Fact]
    public async Task WhatElseIsCancelledOrFailsIsNotTakenForAStop()
    {
        using var interrupts = new Interrupts();

        await Assert.ThrowsAsync<OperationCanceledException>(() => interrupts.TryAsync(_ => throw new OperationCanceledException()));
        await Assert.ThrowsAsync<IOException>(() => interrupts.TryAsync(_ => throw new IOException()));
    }
}
