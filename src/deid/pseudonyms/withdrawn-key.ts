import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import { makeFolders } from "../../units/make-folders.ts";
import { generateProjectKey, loadProjectKey, type ProjectKey, projectKeyOf } from "./project-key.ts";

const KEY_BYTES = 32;

/** Knows patients who were withdrawn by keyed digests: who has the store alone cannot try patient ids. */
export interface WithdrawnKey {
  /** See `ProjectKey.id`. */
  readonly id: string;
  /** Hexadecimal. */
  digest(project: string, patientId: string): string;
  /** By which a node finds a study on its disk whose UID the store has forgotten. Hexadecimal. */
  studyDigest(studyInstanceUid: string): string;
}

/**
 * The key of a home; it is made where there is none.
 * @param isRehearsal makes nothing: the digests of a key that nobody has are of nobody
 * @throws GatewayError KEY_FILE_…
 */
export async function openWithdrawnKey(path: string, { isRehearsal = false } = {}): Promise<WithdrawnKey> {
  const key = await load(path, isRehearsal);
  return {
    id: key.id,
    digest: (project, patientId) => key.prf("withdrawn", `${project}\0${patientId}`).toString("hex"),
    studyDigest: (studyInstanceUid) => key.prf("withdrawn-study", studyInstanceUid).toString("hex"),
  };
}

async function load(path: string, isRehearsal: boolean): Promise<ProjectKey> {
  try {
    return await loadProjectKey(path);
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || thrown.code !== "KEY_FILE_MISSING") throw thrown;
  }
  if (isRehearsal) return projectKeyOf(randomBytes(KEY_BYTES));
  await makeFolders(dirname(path), { mode: 0o700 });
  return await generateProjectKey(path).catch((thrown: unknown) => {
    // Another process made it meanwhile.
    if (thrown instanceof GatewayError && thrown.code === "KEY_FILE_EXISTS") return loadProjectKey(path);
    throw thrown;
  });
}
