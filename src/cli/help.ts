import { Help, type Option } from "commander";

/** Examples below a verb's help. */
export function examples(...lines: readonly string[]): string {
  return ["", "Examples:", ...lines.map((line) => `  radferry ${line}`)].join("\n");
}

/** As usual, and says which options a verb cannot do without. An empty list is no default that anybody has to know. */
export function optionDescription(option: Option): string {
  const isEmptyList = Array.isArray(option.defaultValue) && option.defaultValue.length === 0;
  const text = isEmptyList ? option.description : new Help().optionDescription(option);
  return option.mandatory && option.defaultValue === undefined ? `${text} (required)` : text;
}

/**
 * The sentences of a help text within a terminal's width. What is indented is laid out already, or is to be copied, and stays as it is;
 * a line that ends no sentence goes on in the next.
 */
export function withinWidth(text: string, width: number): string {
  const lines: string[] = [];
  let sentence = "";
  for (const line of text.split("\n")) {
    const isProse = line !== "" && !line.startsWith(" ");
    if (sentence !== "" && !isProse) {
      lines.push(...wrapped(sentence, width));
      sentence = "";
    }
    if (!isProse) {
      lines.push(line);
      continue;
    }
    sentence = sentence === "" ? line : `${sentence} ${line}`;
    if (/[.:]$/.test(line)) {
      lines.push(...wrapped(sentence, width));
      sentence = "";
    }
  }
  if (sentence !== "") lines.push(...wrapped(sentence, width));
  return lines.join("\n");
}

function wrapped(sentence: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of sentence.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
