import { runProgram } from "./process.ts";

/** Angle brackets hold values, except where they name what the message is about. */
const NAMED_OR_VALUE = /(Element=|Module=|attribute )?<[^<>]*>/g;
/** `Character invalid for this VR = 'x' (0x78)`. */
const CHARACTER = /'[^']*' \((?:0x)?[0-9a-f]+\)/g;

/** What dciodvfy holds against an object, without the values: those differ once it is de-identified. */
export async function dciodvfyErrors(path: string): Promise<ReadonlySet<string>> {
  const { output } = await runProgram("dciodvfy", [path], "/");
  const lines = output.split("\n").filter((line) => line.startsWith("Error"));
  return new Set(lines.map(withoutValues));
}

function withoutValues(line: string): string {
  return line
    .replace(NAMED_OR_VALUE, (text, name?: string) => (name === undefined ? "<>" : text))
    .replace(CHARACTER, "");
}
