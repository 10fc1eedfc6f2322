import type { DeliveryFilter, JobChanges, JobCount, ListedDelivery, WorkerRecord } from "../overview.ts";
import { jobNumber } from "./look.ts";
import { jobRecord, withoutNulls } from "./row-records.ts";
import type { Session } from "./session.ts";

export function jobCounts(session: Session): readonly JobCount[] {
  return session.all("jobCounts").map((row) => ({ ...row }) as unknown as JobCount);
}

export function oldestWaitingAtMs(session: Session): number | undefined {
  const ages = ["queued", "waiting"].flatMap((state) => session.get("oldestOfState", { state })?.createdAtMs ?? []);
  return ages.length === 0 ? undefined : Math.min(...ages.map(Number));
}

export function jobChanges(
  session: Session,
  page: { readonly after: number; readonly limit: number },
): JobChanges {
  const changes = session
    .all("jobChanges", page)
    .map(({ changeNo, ...row }) => ({ number: Number(changeNo), job: jobRecord(row) }));
  const numberOf = (name: "firstChange" | "lastChange"): number => Number(session.get(name)?.changeNo ?? 0);
  return { changes, first: numberOf("firstChange"), last: numberOf("lastChange") };
}

export function listDeliveries(session: Session, { state, after, limit }: DeliveryFilter): readonly ListedDelivery[] {
  const page = {
    afterJob: after === undefined ? 0 : jobNumber(session, after.job, "jobPlace"),
    afterDestination: after?.destination ?? "",
    limit,
  };
  const rows =
    state === undefined ? session.all("listDeliveries", page) : session.all("listDeliveriesByState", { state, ...page });
  return rows.map((row) => withoutNulls(row) as unknown as ListedDelivery);
}

export function listWorkers(session: Session): readonly WorkerRecord[] {
  return session.all("listWorkers").map((row) => ({ ...row }) as unknown as WorkerRecord);
}
