/** One instruction, its continued lines joined. https://docs.docker.com/reference/dockerfile/ */
export interface Instruction {
  readonly name: string;
  readonly flags: Readonly<Record<string, string>>;
  readonly words: readonly string[];
  readonly text: string;
}

/** A stage from its FROM on. */
export interface BuildStage {
  readonly image: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** @throws Error where a line is no instruction, or one stands before the first FROM */
export function readDockerfile(text: string): readonly BuildStage[] {
  const stages: { image: string; name: string | undefined; instructions: Instruction[] }[] = [];
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n/g, " ")
    .split("\n");
  for (const line of lines.map((each) => each.trim()).filter((each) => each !== "")) {
    const instruction = readInstruction(line);
    if (instruction.name === "FROM") {
      const [image = "", as, name] = instruction.words;
      if (as !== undefined && as.toUpperCase() !== "AS") throw new Error(`no stage: ${line}`);
      stages.push({ image, name, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`before the first FROM: ${line}`);
    stage.instructions.push(instruction);
  }
  return stages;
}

const NAMES =
  /^(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\s+(.+)$/;

function readInstruction(line: string): Instruction {
  const [, name, rest] = NAMES.exec(line) ?? [];
  if (name === undefined || rest === undefined) throw new Error(`no instruction: ${line}`);
  const flags: Record<string, string> = {};
  const words = rest.split(/\s+/);
  for (
    let flag = /^--([a-z-]+)=(\S+)$/.exec(words[0] ?? "");
    flag !== null;
    flag = /^--([a-z-]+)=(\S+)$/.exec(words[0] ?? "")
  ) {
    flags[flag[1] ?? ""] = flag[2] ?? "";
    words.shift();
  }
  const text = words.join(" ");
  const list = /\[.*\]$/.exec(text)?.[0];
  return { name, flags, words: list === undefined ? words : wordsOf(list), text };
}

/** The form that asks no shell. */
function wordsOf(list: string): readonly string[] {
  const words: unknown = JSON.parse(list);
  if (!Array.isArray(words)) throw new Error(`no list: ${list}`);
  return words.map(String);
}
