import { errorRegistry } from "../../errors/registry.ts";
import { JOB_STATES, STAGES } from "../job-states.ts";
import type { DeliveryFilter, JobChanges, JobCount, ListedDelivery, WorkerRecord } from "../overview.ts";
import { integer, keyOf, oneOf, optional, recordReader, text } from "./columns.ts";
import { byNumber, merged } from "./listing.ts";
import { jobNumber } from "./look.ts";
import { jobRecord } from "./row-records.ts";
import type { Session } from "./session.ts";

const jobCount = recordReader<JobCount>({
  project: text,
  stage: oneOf(STAGES),
  state: keyOf(JOB_STATES),
  jobs: integer,
});

const listedDelivery = recordReader<ListedDelivery>({
  job: text,
  project: text,
  destination: text,
  state: oneOf(["sending", "sent", "confirmed", "failed"]),
  instances: integer,
  code: optional(keyOf(errorRegistry)),
  proof: optional(text),
  changedAtMs: integer,
});

const workerRecord = recordReader<WorkerRecord>({ name: text, claims: integer, lastClaimAtMs: integer });

export function jobCounts(session: Session): readonly JobCount[] {
  return session.all("jobCounts").map(jobCount);
}

export function oldestWaitingAtMs(session: Session): number | undefined {
  const ages = ["queued", "waiting"].flatMap((state) => session.get("oldestOfState", { state })?.createdAtMs ?? []);
  return ages.length === 0 ? undefined : Math.min(...ages.map(Number));
}

export function jobChanges(session: Session, page: { readonly after: number; readonly limit: number }): JobChanges {
  const changes = session
    .all("jobChanges", page)
    .map(({ changeNo, ...row }) => ({ number: Number(changeNo), job: jobRecord(row) }));
  return { changes, last: Number(session.get("lastChange")?.changeNo ?? 0) };
}

export function listDeliveries(
  session: Session,
  { state, projects, after, limit }: DeliveryFilter,
): readonly ListedDelivery[] {
  const page = {
    afterJob: after === undefined ? 0 : jobNumber(session, after.job, "jobPlace"),
    afterDestination: after?.destination ?? "",
    limit,
    ...(state === undefined ? {} : { state }),
  };
  const [every, ofProject] =
    state === undefined
      ? (["listDeliveries", "listDeliveriesByProject"] as const)
      : (["listDeliveriesByState", "listDeliveriesByProjectAndState"] as const);
  const lists = projects?.map((project) => [ofProject, { project }] as const) ?? [[every, {}] as const];
  // Of one job all are in the same list.
  return merged(session, lists, page, byNumber("jobNo")).map(listedDelivery);
}

export function listWorkers(session: Session): readonly WorkerRecord[] {
  return session.all("listWorkers").map(workerRecord);
}
