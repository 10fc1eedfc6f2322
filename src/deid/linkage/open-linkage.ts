import { GatewayError } from "../../errors/gateway-error.ts";
import type { LinkageProof, LinkageStore } from "../../store/linkage.ts";
import { loadProjectKey } from "../pseudonyms/project-key.ts";
import { type LinkSealer, newWrappedKey, openSealer } from "./sealing.ts";

export type OpenedLinkage =
  | { readonly kind: "kept"; readonly sealer: LinkSealer }
  | { readonly kind: "destroyed"; readonly proof: LinkageProof };

/** What a project's linkage is opened with. */
export interface LinkageFile {
  readonly project: string;
  readonly path: string;
  /** Of the key that pseudonyms are made with. */
  readonly keyId: string;
}

/**
 * The project's linkage: begun, if there was none yet.
 * @throws GatewayError KEY_FILE_…, LINKAGE_KEY_SHARED, LINKAGE_UNREADABLE
 */
export async function openLinkage(
  store: Pick<LinkageStore, "openLinkage">,
  { project, path, keyId }: LinkageFile,
  nowMs: number,
): Promise<OpenedLinkage> {
  const key = await loadProjectKey(path);
  if (keyId.split("-").includes(key.id)) throw new GatewayError("LINKAGE_KEY_SHARED", { project });
  const keeping = await store.openLinkage(project, newWrappedKey(key, project), nowMs);
  if (keeping.kind === "destroyed") return keeping;
  return { kind: "kept", sealer: openSealer(key, project, keeping.wrappedKey) };
}
