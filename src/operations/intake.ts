import { GatewayError } from "../errors/gateway-error.ts";
import { errorRegistry } from "../errors/registry.ts";
import type { IntakeState, IntakeStudy } from "../store/intake.ts";
import type { JobState } from "../store/job-states.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";
import type { Page } from "./operations.ts";
import type { Scope } from "./scope.ts";

/** What people can ask of studies that were sent to us unasked: part of `Operations`. */
export interface IntakeOperations {
  listIntake(filter?: { readonly state?: IntakeState | undefined }, page?: Page): AsyncIterable<IntakeDocument>;
  /** Makes a held study a job of a project. @throws GatewayError INTAKE_NOT_HELD, INTAKE_JOB_UNDER_WAY, PROJECT_UNKNOWN */
  assignIntake(id: string, project: string): Promise<IntakeDecisionDocument>;
  /** Removes a held study; its files go with the next sweep. @throws GatewayError INTAKE_NOT_HELD */
  discardIntake(id: string): Promise<IntakeDecisionDocument>;
}

/** Says nothing of the patient. */
export interface IntakeDocument {
  readonly id: string;
  readonly state: IntakeState;
  /** Why it is held. */
  readonly code: string | null;
  readonly message: string | null;
  readonly project: string | null;
  /** The project's study that it became, by its id, and the state of that. */
  readonly study: string | null;
  readonly studyState: JobState | null;
  readonly rule: string | null;
  /** AE title, or the name of the token of who sends by HTTP. */
  readonly sender: string;
  readonly modality: string;
  readonly instances: number;
  /** How many it should hold, as an archive said that a rule has us ask. */
  readonly expected: number | null;
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface IntakeDecisionDocument {
  readonly id: string;
  readonly decision: "assigned" | "discarded";
  readonly project: string | null;
}

const PAGE_SIZE = 500;

interface Asking {
  once<T>(operation: keyof IntakeOperations, scope: Scope, ask: () => Promise<T>): Promise<T>;
  permitted<T>(operation: keyof IntakeOperations, scope: Scope, items: () => AsyncIterable<T>): AsyncIterable<T>;
}

/** A matter of the whole site: whose a held study is, is not known yet. */
export function createIntakeOperations(context: OperationsContext, { once, permitted }: Asking): IntakeOperations {
  return {
    listIntake: (filter, page) => permitted("listIntake", "site", () => listIntake(context, filter, page)),
    assignIntake: (id, project) => once("assignIntake", "site", () => assignIntake(context, id, project)),
    discardIntake: (id) => once("discardIntake", "site", () => discardIntake(context, id)),
  };
}

async function* listIntake(
  { store }: OperationsContext,
  { state }: { readonly state?: IntakeState | undefined } = {},
  page: Page = {},
): AsyncGenerator<IntakeDocument> {
  const limit = page.size ?? PAGE_SIZE;
  let after = page.after;
  for (;;) {
    const studies = await store.listIntake({ state, after, limit });
    yield* studies.map(documentOf);
    after = studies.at(-1)?.id;
    if (studies.length < limit) return;
  }
}

function documentOf(study: IntakeStudy): IntakeDocument {
  const { id, state, code, project, rule, callingAeTitle, modality, instances, firstAtMs, lastAtMs } = study;
  return {
    id,
    state,
    code: code ?? null,
    message: code === undefined ? null : errorRegistry[code].summary,
    project: project ?? null,
    study: study.job ?? null,
    studyState: study.jobState ?? null,
    rule: rule ?? null,
    sender: callingAeTitle,
    modality,
    instances,
    expected: study.expected ?? null,
    firstAt: isoTime(firstAtMs),
    lastAt: isoTime(lastAtMs),
  };
}

async function assignIntake(
  { store, projects, actor, clock }: OperationsContext,
  id: string,
  project: string,
): Promise<IntakeDecisionDocument> {
  if (!projects.has(project)) throw new GatewayError("PROJECT_UNKNOWN", { project });
  const audit = { event: "intake-assigned", actor, outcome: "success", project, detail: { intake: id } } as const;
  const outcome = await store.assignIntake(id, project, audit, clock.nowMs());
  if (outcome === "not held") throw new GatewayError("INTAKE_NOT_HELD");
  if (outcome === "under way") throw new GatewayError("INTAKE_JOB_UNDER_WAY", { project });
  return { id, decision: "assigned", project };
}

async function discardIntake({ store, actor, clock }: OperationsContext, id: string): Promise<IntakeDecisionDocument> {
  const audit = { event: "intake-discarded", actor, outcome: "success", detail: { intake: id } } as const;
  if (!(await store.discardIntake(id, audit, clock.nowMs()))) throw new GatewayError("INTAKE_NOT_HELD");
  return { id, decision: "discarded", project: null };
}
