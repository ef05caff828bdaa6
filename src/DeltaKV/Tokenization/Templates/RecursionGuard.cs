using System.Runtime.CompilerServices;

namespace DeltaKV.Tokenization.Templates;

/// <summary>Turns a stack about to overflow, which would end the process, into an error of the template.</summary>
internal static class RecursionGuard
{
    internal static void Check()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new TemplateFault("an expression or value is nested too deeply.");
    }
}
