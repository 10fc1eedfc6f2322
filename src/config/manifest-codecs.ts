import { z } from "zod";
import { textSetting, transferSyntaxSetting } from "./scalars.ts";

const argument = textSetting.refine((text) => !text.includes("\0"), "a path or an argument is expected");

export const codecSettings = z.strictObject({
  transferSyntaxes: z
    .array(transferSyntaxSetting)
    .min(1)
    .max(100)
    .meta({ description: "Transfer syntaxes that the program decodes, by keyword or UID." }),
  command: z.array(argument).min(1).max(100).meta({
    description:
      "The program's path, then its arguments. It reads a Part 10 file and writes it uncompressed; no shell is asked.",
  }),
  timeoutSeconds: z
    .number()
    .positive()
    .max(86_400)
    .default(120)
    .meta({ description: "Time for one object; then the program is ended and the object rejected." }),
});
