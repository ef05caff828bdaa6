#!/usr/bin/env bash
# Compiles tests/DeltaKV.Gpu.Tests/Compatibility/IlgpuPrograms.cs against ILGPU 1.5.3 with ILGPU's namespaces in place of ours, and runs
# it on ILGPU's CPU accelerator. Needs the ILGPU package, or ILGPU_DLL=/path/to/ILGPU.dll.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed 's/^using DeltaKV\.Gpu;$/using ILGPU;\nusing ILGPU.Runtime;/' "$here/../../tests/DeltaKV.Gpu.Tests/Compatibility/IlgpuPrograms.cs" >"$work/IlgpuPrograms.cs"
cp "$here/Program.cs.txt" "$work/Program.cs"
if [[ ${ILGPU_DLL:-} ]]; then
  reference="<Reference Include=\"ILGPU\"><HintPath>$ILGPU_DLL</HintPath></Reference>"
else
  reference='<PackageReference Include="ILGPU" Version="1.5.3" />'
fi
cat >"$work/IlgpuCompat.csproj" <<EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup>$reference</ItemGroup>
</Project>
EOF
dotnet run --project "$work/IlgpuCompat.csproj" -c Release
