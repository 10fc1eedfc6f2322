import type { ProjectKeyRecord, ProjectKeyUse } from "../records.ts";
import type { Store } from "../store.ts";
import { appendAudit } from "./audit.ts";
import type { Session } from "./session.ts";

export async function useProjectKey(
  session: Session,
  use: Parameters<Store["useProjectKey"]>[0],
  nowMs: number,
): Promise<ProjectKeyUse> {
  const { project, keyId, force } = use;
  const known = (await session.get("currentProjectKey", { project }))?.keyId;
  if (known === keyId) return "same";
  const hasDelivered = known !== undefined && (await session.get("projectHasDelivered", { project }))?.delivered === 1;
  if (hasDelivered && !force) return "refused";
  if (use.isRehearsal === true) return known === undefined ? "first" : "changed";
  await session.run("insertProjectKey", { project, keyId, nowMs, forced: hasDelivered });
  if (known !== undefined && use.audit !== undefined) await appendAudit(session, use.audit, nowMs);
  return known === undefined ? "first" : hasDelivered ? "forced" : "changed";
}

export async function projectKeys(session: Session, project: string): Promise<readonly ProjectKeyRecord[]> {
  return (await session.all("projectKeys", { project })).map(({ keyId, sinceMs, forced }) => ({
    keyId: String(keyId),
    sinceMs: Number(sinceMs),
    forced: forced === 1,
  }));
}
