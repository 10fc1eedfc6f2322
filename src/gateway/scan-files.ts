import { type LakeWriter, startLakeWriter } from "../acquisition/lake/writer.ts";

/** Where scanners' results lie when DATA_LAKE_DIRECTORY does not say: as ScanHub's own services have it. */
export const USUAL_LAKE = "/data";

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
