using DeltaKV.Gpu.Runtime.Cuda;

namespace DeltaKV.Gpu.Tests.Runtime;

public sealed class CubinCacheTests : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), "deltakv-tests-" + Guid.NewGuid().ToString("N"));

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void What_was_written_is_read_back()
    {
        var cache = new CubinCache(directory, 1 << 20);
        byte[] cubin = [1, 2, 3];
        cache.Write("a", cubin);

        Assert.Equal(cubin, cache.TryRead("a"));
        Assert.Null(cache.TryRead("b"));
    }

    [Fact]
    public void A_damaged_file_is_dropped()
    {
        var cache = new CubinCache(directory, 1 << 20);
        cache.Write("a", [1, 2, 3]);
        var path = Directory.GetFiles(directory).Single();
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);

        Assert.Null(cache.TryRead("a"));
        Assert.Empty(Directory.GetFiles(directory));
        File.WriteAllBytes(path, [1]);
        Assert.Null(cache.TryRead("a"));
    }

    [Fact]
    public void The_oldest_files_go_when_the_cap_is_passed()
    {
        var cache = new CubinCache(directory, 3000);
        for (var i = 0; i < 3; i++)
        {
            cache.Write($"{i}", new byte[1000]);
            File.SetLastWriteTimeUtc(Path.Combine(directory, $"{i}.cubin"), new DateTime(2020, 1, 1 + i, 0, 0, 0, DateTimeKind.Utc));
        }

        Assert.Null(cache.TryRead("0"));
        Assert.NotNull(cache.TryRead("1"));
        Assert.NotNull(cache.TryRead("2"));
    }

    [Fact]
    public void An_unusable_directory_is_no_error()
    {
        var file = Path.GetTempFileName();
        var cache = new CubinCache(Path.Combine(file, "below"), 1 << 20);
        cache.Write("a", [1]);

        Assert.Null(cache.TryRead("a"));
        File.Delete(file);
    }

    [Fact]
    public void Keys_tell_apart_text_target_and_driver()
    {
        string[] keys = [CubinCache.KeyOf("p", "sm_90a", 13000), CubinCache.KeyOf("q", "sm_90a", 13000), CubinCache.KeyOf("p", "sm_80", 13000), CubinCache.KeyOf("p", "sm_90a", 12080)];

        Assert.Equal(keys.Length, keys.Distinct().Count());
    }
}
