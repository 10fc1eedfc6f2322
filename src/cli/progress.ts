import type { Output } from "./world.ts";

/** Shows how far work has come: a bar on a terminal, nothing elsewhere. */
export interface Progress extends Disposable {
  update(done: number, total: number, remark: string): void;
}

/** Redraws a second. */
const REDRAWS_FOR_EACH_SECOND = 4;

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
