import { type LakeWriter, startLakeWriter } from "../acquisition/lake/writer.ts";
import type { Settings } from "../config/settings.ts";
import type { Environment } from "../config/settings-file.ts";
import { environmentOf } from "./face-environment.ts";

/** As ScanHub's own services have it. */
const USUAL_LAKE = "/data";

/** Where scanners' results lie: what the face inside the service was told wins. */
export async function lakeOf({ compat }: Pick<Settings, "compat">, environment: Environment): Promise<string> {
  const own = compat.scanhub === undefined ? environment : await environmentOf(compat.scanhub, environment);
  return own.DATA_LAKE_DIRECTORY || USUAL_LAKE;
}

/** Reads files in a thread of its own, which is started when the first one is asked for: most never ask. */
export function openScanFiles(): Pick<LakeWriter, "sumOf"> & AsyncDisposable {
  let thread: LakeWriter | undefined;
  return {
    sumOf(path) {
      thread ??= startLakeWriter();
      return thread.sumOf(path);
    },
    async [Symbol.asyncDispose]() {
      await thread?.[Symbol.asyncDispose]();
    },
  };
}
