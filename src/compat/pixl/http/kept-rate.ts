import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileDurably } from "../../../units/durable-files.ts";
import type { TokenBuckets } from "../intake/token-buckets.ts";
import type { PixlRate } from "./routes.ts";

const keptShape = z.object({ rate: z.number().nonnegative() });

/** The rate of the buckets. @param file where it is kept over a restart; undefined: it starts at 0, as in PIXL */
export async function openRate(buckets: TokenBuckets, file: string | undefined): Promise<PixlRate> {
  if (file !== undefined) buckets.setRate(await readRate(file));
  return {
    get perSecond() {
      return buckets.rate;
    },
    async set(perSecond) {
      if (file !== undefined) await writeFileDurably(file, `${JSON.stringify({ rate: perSecond })}\n`);
      buckets.setRate(perSecond);
    },
  };
}

/** Whatever else stands there is a pause: somebody has to say how fast. */
async function readRate(file: string): Promise<number> {
  const text = await readFile(file, "utf8").catch(() => "");
  try {
    const kept = keptShape.safeParse(JSON.parse(text));
    return kept.data?.rate ?? 0;
  } catch {
    return 0;
  }
}
