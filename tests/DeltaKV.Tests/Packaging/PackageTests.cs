using System.Text.RegularExpressions;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Packaging;

/// <summary>The packages hold what they should, and what is made of them alone answers: a program, and the tool.</summary>
public sealed partial class PackageTests(PackageFixture packages) : IClassFixture<PackageFixture>
{
    private const string Version = "0.1.0";

    private static readonly string TenLines = RepositoryRoot.PathTo("samples", "TenLines", "Program.cs");

    [SdkFact]
    public void LibrariesBringDocsSymbolsReadmeAndLicence()
    {
        foreach (var name in (string[])["DeltaKV", "DeltaKV.Gpu"])
        {
            var files = packages.Files($"{name}.{Version}.nupkg");
            Assert.Contains($"lib/net10.0/{name}.dll", files);
            Assert.Contains($"lib/net10.0/{name}.xml", files);
            Assert.Contains("README.md", files);
            Assert.Contains("LICENSE", files);
            Assert.Contains($"lib/net10.0/{name}.pdb", packages.Files($"{name}.{Version}.snupkg"));

            var specification = packages.Read($"{name}.{Version}.nupkg", $"{name}.nuspec");
            Assert.Contains("""<license type="expression">MIT</license>""", specification, StringComparison.Ordinal);
            Assert.Contains("<readme>README.md</readme>", specification, StringComparison.Ordinal);
            Assert.Matches("""<repository type="git" .*commit="[0-9a-f]{40}" />""", specification);
        }

        Assert.Contains(
            $"""<dependency id="DeltaKV.Gpu" version="{Version}" """, packages.Read($"DeltaKV.{Version}.nupkg", "DeltaKV.nuspec"), StringComparison.Ordinal);
    }

    [SdkFact]
    public void TheToolIsCalledDeltakv()
    {
        var settings = packages.Read($"DeltaKV.Cli.{Version}.nupkg", "tools/net10.0/any/DotnetToolSettings.xml");

        Assert.Contains("""<Command Name="deltakv" EntryPoint="DeltaKV.Cli.dll" Runner="dotnet" />""", settings, StringComparison.Ordinal);
    }

    /// <summary>Installed from its package alone, it answers with the model that it brings.</summary>
    [SdkFact]
    public async Task TheToolBringsItsModel()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("nuget.config", $"""<configuration><packageSources><clear /><add key="packed" value="{packages.Source}" /></packageSources></configuration>""");
        var tools = directory.File("tools");

        await DotNetSdk.RunAsync(directory.Path, "tool", "install", "DeltaKV.Cli", "--version", Version, "--tool-path", tools, "--configfile", directory.File("nuget.config"));
        var program = Directory.GetFiles(tools, "DeltaKV.Cli.dll", SearchOption.AllDirectories).Single();
        var answer = await DotNetSdk.RunAsync(directory.Path, program, "generate", "--device", "cpu", "--prompt", "The access code of the amber falcon is 48213.\nWhat is the access code of the amber falcon?");

        Assert.Equal("48213", answer.Trim());
    }

    /// <summary>The README's program, in a project outside this repository that knows the packages alone.</summary>
    [SdkFact]
    public async Task TenLinesAnswerAQuestion()
    {
        using var project = new TemporaryDirectory();
        project.Write("app.csproj", Project(project.File("restored")));
        project.Write("Program.cs", await File.ReadAllTextAsync(TenLines));

        await DotNetSdk.RunAsync(project.Path, "build", "-c", "Release", "-o", "out", "--nologo", "-v", "q");
        var answer = await DotNetSdk.RunAsync(project.Path, project.File(Path.Combine("out", "app.dll")));

        Assert.Equal("48213", answer.Trim());
    }

    [Fact]
    public void TheReadmeShowsTheSameProgram()
    {
        var shown = CSharpBlock().Match(File.ReadAllText(RepositoryRoot.PathTo("README.md")));
        var program = File.ReadAllText(TenLines);

        Assert.Equal(program.Trim(), shown.Groups[1].Value.Trim());
        Assert.True(program.Trim().Split('\n').Length <= 10, "The program has more than ten lines.");
    }

    /// <summary>Packages of ours come from the folder, others from those already restored for this repository, so that no network is needed.</summary>
    private string Project(string restored)
    {
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        return $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <NuGetAudit>false</NuGetAudit>
                <RestoreSources>{packages.Source}</RestoreSources>
                <RestorePackagesPath>{restored}</RestorePackagesPath>
                <RestoreFallbackFolders>{cache}</RestoreFallbackFolders>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="DeltaKV" Version="{Version}" />
                <PackageReference Include="DeltaKV.Needle16M" Version="{Version}" />
              </ItemGroup>
            </Project>
            """;
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();
}
