import type { Clock } from "../units/clock.ts";
import type { Output } from "./world.ts";

/** Shows how far work has come. */
export interface Progress extends Disposable {
  update(done: number, total: number, remark: string): void;
}

/** Redraws a second. */
const REDRAWS_FOR_EACH_SECOND = 4;

/** Without a terminal a line is written so often at most, or when as much more is done. */
const LINE_EVERY_MS = 30_000;
const LINES_FOR_ALL = 10;

/** A bar on a terminal, and elsewhere lines, for what may take hours. */
export async function openLongProgress(output: Output, unit: string, clock: Clock): Promise<Progress> {
  return output.isTTY === true ? await openProgress(output, unit) : progressLines(output, unit, clock);
}

function progressLines(output: Output, unit: string, clock: Clock): Progress {
  let last = { line: "", tenth: -1, atMs: clock.nowMs() };
  return {
    update(done, total, remark) {
      const line = `${done} of ${total} ${unit} done: ${remark}`;
      const tenth = total === 0 ? -1 : Math.floor((done * LINES_FOR_ALL) / total);
      const isDue = tenth !== last.tenth || clock.nowMs() - last.atMs >= LINE_EVERY_MS;
      if (line === last.line || !isDue) return;
      last = { line, tenth, atMs: clock.nowMs() };
      output.write(`${line}\n`);
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** A bar on a terminal, nothing elsewhere. */
export async function openProgress(output: Output, unit: string): Promise<Progress> {
  if (output.isTTY !== true) return { update: () => undefined, [Symbol.dispose]: () => undefined };
  const { SingleBar } = await import("cli-progress");
  const bar = new SingleBar({
    stream: output,
    format: `{bar} {value}/{total} ${unit}  {remark}`,
    barsize: 30,
    fps: REDRAWS_FOR_EACH_SECOND,
    hideCursor: true,
    // Signals are the program's own business.
    gracefulExit: false,
  });
  bar.start(0, 0, { remark: "" });
  return {
    update(done, total, remark) {
      bar.setTotal(total);
      bar.update(done, { remark });
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}
