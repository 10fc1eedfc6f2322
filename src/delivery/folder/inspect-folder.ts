import { join } from "node:path";
import { concurrently } from "../../units/concurrently.ts";
import type { Inspect, Standing } from "../inspection/inspection.ts";
import { type Delivered, lookAt } from "./delivered-file.ts";
import { rethrowDestination } from "./destination-error.ts";
import { destinationFolder } from "./destination-folder.ts";

const PARALLEL_FILES = 2;
const STANDINGS: { readonly [D in Delivered]: Standing } = { same: "same", other: "differs", absent: "absent" };

/** Reads every file back. @throws GatewayError DESTINATION_… from the function it answers */
export function folderInspector({ name, path }: { readonly name: string; readonly path: string }): Inspect {
  const folder = destinationFolder({ name, path });
  return async ({ project, pseudonym, studyInstanceUid, files }, signal) => {
    await folder.require();
    const study = join(path, project, pseudonym, studyInstanceUid);
    const found = new Map<string, Standing>();
    await concurrently(files, PARALLEL_FILES, async (file) => {
      signal.throwIfAborted();
      const { seriesInstanceUid, sopInstanceUid } = file;
      const there = await lookAt(join(study, seriesInstanceUid, `${sopInstanceUid}.dcm`), file, signal);
      found.set(sopInstanceUid, STANDINGS[there]);
    }).catch(rethrowDestination(name));
    return { proof: "sha256", standing: ({ sopInstanceUid }) => found.get(sopInstanceUid) ?? "absent" };
  };
}
