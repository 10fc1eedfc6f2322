import { join } from "node:path";
import type { Settings } from "../config/settings.ts";
import { openWithdrawnKey, type WithdrawnKey } from "../deid/pseudonyms/withdrawn-key.ts";
import type { WithdrawnFacts } from "../operations/context.ts";
import type { PipelineServices } from "../pipeline/services.ts";
import { removeLocalCopies } from "../staging/local-copies.ts";
import type { Store } from "../store/store.ts";

export function withdrawnKeyFile({ home }: Settings): string {
  return join(home, "keys", "withdrawn.key");
}

export function withdrawnFacts(settings: Settings): WithdrawnFacts {
  const { path: staging, shred } = settings.staging;
  const places = { staging, outbox: join(settings.home, "outbox"), shred };
  return { keyFile: withdrawnKeyFile(settings), removeLocalCopies: (study) => removeLocalCopies(places, study) };
}

/** The key is read once, the list every time: it may be another process that withdraws. @throws GatewayError KEY_FILE_… from the function it answers */
export function withdrawnCheck(store: Pick<Store, "isWithdrawn">, keyFile: string): PipelineServices["isWithdrawn"] {
  let opening: Promise<WithdrawnKey> | undefined;
  return async (project, patientId) => {
    opening ??= openWithdrawnKey(keyFile);
    const key = await opening.catch((thrown: unknown) => {
      opening = undefined;
      throw thrown;
    });
    return await store.isWithdrawn(project, key.digest(project, patientId));
  };
}
