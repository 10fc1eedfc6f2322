import { GatewayError } from "../errors/gateway-error.ts";
import { maySeeProject } from "../units/actor.ts";
import type { OperationsContext } from "./context.ts";

/** What an operation is about, for who is limited to some projects. */
export type Scope =
  | "site"
  /** It shows of everything what the asker may see. */
  | "own"
  | { readonly project: string }
  | { readonly cohort: string }
  | { readonly job: string };

/** Of what is not his, nobody learns whether it is there. @throws GatewayError PROJECTS_LIMITED, PROJECT_UNKNOWN, COHORT_NOT_FOUND, JOB_NOT_FOUND */
export async function checkScope({ actor, store }: OperationsContext, scope: Scope): Promise<void> {
  if (actor.projects === undefined || scope === "own") return;
  if (scope === "site") throw new GatewayError("PROJECTS_LIMITED");
  if ("project" in scope) {
    if (!maySeeProject(actor, scope.project)) throw new GatewayError("PROJECT_UNKNOWN", { project: scope.project });
  } else if ("cohort" in scope) {
    const { project } = await store.cohortStatus(scope.cohort);
    if (!maySeeProject(actor, project)) throw new GatewayError("COHORT_NOT_FOUND");
  } else {
    const { project } = await store.job(scope.job);
    if (!maySeeProject(actor, project)) throw new GatewayError("JOB_NOT_FOUND");
  }
}
