import { PatternError, type PatternNode, parsePattern } from "./linear-pattern.ts";

/** A regular expression whose time grows with the length of the text and no faster. */
export interface Pattern {
  /** As written, for hashes and reports. */
  readonly source: string;
  test(text: string): boolean;
}

/** `whole`: the pattern must match the text from end to end; `anywhere`: its own anchors decide. */
export type PatternExtent = "whole" | "anywhere";

type Instruction =
  | { readonly kind: "character"; readonly accepts: (code: number) => boolean }
  | { readonly kind: "edge"; readonly at: "start" | "end" }
  | { readonly kind: "split"; readonly to: readonly number[] }
  | { readonly kind: "match" };

/** Text beyond this is not looked at: it does not match. */
const TEXT_LIMIT = 10 * 1024;
const INSTRUCTION_LIMIT = 4096;
const SLASHED = /^\/(.+)\/([a-z]*)$/s;

/**
 * Reads `/source/` or `/source/i`.
 * @throws PatternError
 */
export function patternOf(written: string, extent: PatternExtent): Pattern {
  const [, source, flags] = SLASHED.exec(written) ?? [];
  if (source === undefined) throw new PatternError("a regular expression stands between slashes: /…/ or /…/i");
  if (flags !== "" && flags !== "i") throw new PatternError(`the flag ${flags}: only i is known`);
  const program = compile(parsePattern(source, flags === "i"));
  return { source: written, test: (text) => text.length <= TEXT_LIMIT && run(program, text, extent) };
}

export function isPatternText(written: string): boolean {
  return SLASHED.test(written);
}

/** Thompson's construction: each instruction is followed by the next one unless it splits. */
function compile(node: PatternNode): readonly Instruction[] {
  const program: Instruction[] = [];
  emit(node, program);
  program.push({ kind: "match" });
  return program;
}

function emit(node: PatternNode, program: Instruction[]): void {
  if (program.length > INSTRUCTION_LIMIT) throw new PatternError("too much counted repetition");
  if (node.kind === "character" || node.kind === "edge") program.push(node);
  else if (node.kind === "sequence") for (const part of node.parts) emit(part, program);
  else if (node.kind === "choice") emitChoice(node.options, program);
  else emitRepeat(node, program);
}

function emitChoice(options: readonly PatternNode[], program: Instruction[]): void {
  const starts: number[] = [];
  const split = program.push({ kind: "split", to: [] }) - 1;
  const jumps: number[] = [];
  for (const option of options) {
    starts.push(program.length);
    emit(option, program);
    jumps.push(program.push({ kind: "split", to: [] }) - 1);
  }
  program[split] = { kind: "split", to: starts };
  for (const jump of jumps) program[jump] = { kind: "split", to: [program.length] };
}

function emitRepeat(node: Extract<PatternNode, { kind: "repeat" }>, program: Instruction[]): void {
  const start = program.length;
  for (let count = 0; count < node.min; count += 1) {
    emit(node.part, program);
    // Nothing is nothing, however often; and within each other such repetitions would be counted for hours.
    if (program.length === start) return;
  }
  if (node.max === undefined) {
    const split = program.push({ kind: "split", to: [] }) - 1;
    emit(node.part, program);
    program.push({ kind: "split", to: [split] });
    program[split] = { kind: "split", to: [split + 1, program.length] };
    return;
  }
  const splits: number[] = [];
  for (let count = node.min; count < node.max; count += 1) {
    splits.push(program.push({ kind: "split", to: [] }) - 1);
    emit(node.part, program);
  }
  for (const split of splits) program[split] = { kind: "split", to: [split + 1, program.length] };
}

/** All ways through the program at once, a character at a time. */
function run(program: readonly Instruction[], text: string, extent: PatternExtent): boolean {
  let states = new Set<number>();
  for (let at = 0; at <= text.length; at += 1) {
    if (at === 0 || extent === "anywhere") states.add(0);
    const reached = closure(program, states, at, text.length);
    if (reached.has(program.length - 1) && (extent === "anywhere" || at === text.length)) return true;
    states = new Set();
    for (const state of reached) {
      const instruction = program[state];
      if (instruction?.kind === "character" && at < text.length && instruction.accepts(text.charCodeAt(at))) {
        states.add(state + 1);
      }
    }
  }
  return false;
}

/** States that are reached without a character. */
function closure(
  program: readonly Instruction[],
  from: ReadonlySet<number>,
  at: number,
  length: number,
): ReadonlySet<number> {
  const reached = new Set<number>();
  const pending = [...from];
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    if (reached.has(state)) continue;
    reached.add(state);
    const instruction = program[state];
    if (instruction?.kind === "split") pending.push(...instruction.to);
    if (instruction?.kind === "edge" && at === (instruction.at === "start" ? 0 : length)) pending.push(state + 1);
  }
  return reached;
}
