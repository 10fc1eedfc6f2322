import { errorRegistry } from "../../errors/registry.ts";
import { JOB_STATES, STAGES } from "../job-states.ts";
import type { DeliveryFilter, JobChanges, JobCount, ListedDelivery, WorkerRecord } from "../overview.ts";
import { integer, keyOf, oneOf, optional, recordReader, text } from "./columns.ts";
import { inTurn } from "./in-turn.ts";
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

export async function jobCounts(session: Session): Promise<readonly JobCount[]> {
  return (await session.all("jobCounts")).map(jobCount);
}

export async function oldestWaitingAtMs(session: Session, projects?: readonly string[]): Promise<number | undefined> {
  const states = ["queued", "waiting"] as const;
  const oldest =
    projects === undefined
      ? await inTurn(states, (state) => session.get("oldestOfState", { state }))
      : await inTurn(
          projects.flatMap((project) => states.map((state) => ({ project, state }))),
          (of) => session.get("oldestOfProjectAndState", of),
        );
  const ages = oldest.flatMap((row) => (row === undefined ? [] : Number(row.createdAtMs)));
  return ages.length === 0 ? undefined : Math.min(...ages);
}

export async function jobChanges(
  session: Session,
  page: { readonly after: number; readonly limit: number },
): Promise<JobChanges> {
  const changes = (await session.all("jobChanges", page)).map(({ changeNo, ...row }) => ({
    number: Number(changeNo),
    job: jobRecord(row),
  }));
  return { changes, last: Number((await session.get("lastChange"))?.changeNo ?? 0) };
}

export async function listDeliveries(
  session: Session,
  { state, projects, after, limit }: DeliveryFilter,
): Promise<readonly ListedDelivery[]> {
  const page = {
    afterJob: after === undefined ? 0 : await jobNumber(session, after.job, "jobPlace"),
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
  return (await merged(session, lists, page, byNumber("jobNo"))).map(listedDelivery);
}

export async function listWorkers(session: Session): Promise<readonly WorkerRecord[]> {
  return (await session.all("listWorkers")).map(workerRecord);
}
