import { GatewayError } from "../errors/gateway-error.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";
import type { ProjectKeysDocument } from "./documents.ts";

/** See `Operations.changeProjectKey`. */
export async function changeProjectKey(
  { store, clock, projects, actor }: OperationsContext,
  name: string,
): Promise<ProjectKeysDocument> {
  const project = projects.get(name);
  if (project === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project: name });
  const keyId = await project.keyId();
  const audit = { event: "project-key-changed", actor, outcome: "success", project: name, detail: { keyId } } as const;
  const use = await store.useProjectKey({ project: name, keyId, force: true, audit }, clock.nowMs());
  const keys = (await store.projectKeys(name)).map(({ keyId, sinceMs, forced }) => ({
    keyId,
    since: isoTime(sinceMs),
    forced,
  }));
  return { project: name, changed: use !== "same", keys };
}
