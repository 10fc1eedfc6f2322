import { join } from "node:path";
import type { Settings } from "../config/settings.ts";
import { openWithdrawnKey, type WithdrawnKey } from "../deid/pseudonyms/withdrawn-key.ts";
import type { WithdrawnFacts } from "../operations/context.ts";
import { removeTree } from "../pipeline/hook/workspace.ts";
import type { PipelineServices } from "../pipeline/services.ts";
import { removeLocalCopies } from "../staging/local-copies.ts";
import type { Store } from "../store/store.ts";
import { hooksFolderOf } from "./hooks-folder.ts";
import { namesOfHome, SOLE_NODE } from "./node-names.ts";
import { openSharedOutbox } from "./open-shared-outbox.ts";

/** For all copies of one study in the shared store. */
const REMOVAL_MS = 120_000;

export function withdrawnKeyFile({ home }: Pick<Settings, "home">): string {
  return join(home, "keys", "withdrawn.key");
}

export function withdrawnFacts(settings: Settings): WithdrawnFacts {
  const { path: staging, shred } = settings.staging;
  const places = { staging, outbox: join(settings.home, "outbox"), shred };
  const shared = openSharedOutbox(settings);
  return {
    keyFile: withdrawnKeyFile(settings),
    nodes: () => namesOfHome(settings),
    soleNode: settings.store.kind === "sqlite" ? SOLE_NODE : undefined,
    async removeLocalCopies(study) {
      await removeLocalCopies(places, study);
      await removeTree(join(hooksFolderOf(settings.home), study.job));
      await shared?.remove(study.job, AbortSignal.timeout(REMOVAL_MS));
    },
  };
}

/**
 * The key is read once, unless it is not the list's; the list every time: it may be another process that withdraws.
 * @throws GatewayError KEY_FILE_…, WITHDRAWN_KEY_OTHER from the function it answers
 */
export function withdrawnCheck(store: Pick<Store, "isWithdrawn">, keyFile: string): PipelineServices["isWithdrawn"] {
  let opening: Promise<WithdrawnKey> | undefined;
  return async (project, patientId) => {
    opening ??= openWithdrawnKey(keyFile);
    try {
      const key = await opening;
      return await store.isWithdrawn({ project, digest: key.digest(project, patientId), keyId: key.id });
    } catch (thrown) {
      opening = undefined;
      throw thrown;
    }
  };
}
