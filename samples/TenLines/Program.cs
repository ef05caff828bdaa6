using DeltaKV.Chat;
using DeltaKV.Engine;
using Microsoft.Extensions.AI;

await using var engine = await LlmEngine.LoadAsync(args is [var model] ? model : BundledModel.Find());
using IChatClient chat = new DeltaKVChatClient(engine);
var notes = "The access code of the amber falcon is 48213. The keeper of the silver mill is Brolan.";
await foreach (var update in chat.GetStreamingResponseAsync(notes + "\nWhat is the access code of the amber falcon?"))
    Console.Write(update.Text);
Console.WriteLine();
