using System.Text;

namespace DeltaKV.Tokenization.Templates.Statements;

/// <summary>A part of a template that writes or sets something. Errors inside its expressions are reported with its line.</summary>
internal abstract class Statement(int line)
{
    internal Flow Execute(TemplateScope scope, StringBuilder output)
    {
        try
        {
            return Run(scope, output);
        }
        catch (TemplateFault fault)
        {
            throw new ChatTemplateException(fault.Message, line, fault.IsRaisedByTemplate, fault);
        }
    }

    protected abstract Flow Run(TemplateScope scope, StringBuilder output);
}

/// <summary>How a statement ends: with the next one, or by leaving the loop it stands in.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}
