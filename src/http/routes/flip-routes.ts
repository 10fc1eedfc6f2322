import { z } from "zod";
import { GatewayError } from "../../errors/gateway-error.ts";
import { candidatesFor, describeTask, type FlipApi, importStatus, requestRetrieval } from "../flip-api.ts";
import { withCursor } from "../page.ts";
import { type RequestContext, type Route, route } from "../route.ts";
import { paging } from "../schemas/fields.ts";
import { flipCancelled, flipQuery, flipQueryParameters } from "../schemas/flip-schemas.ts";
import { schemas } from "../schemas/schemas.ts";
import { RequestError } from "../validation.ts";

const tag = "FLIP";
/** SH, PS3.5 6.2, without the wildcards of a query, and not blank: that asks for every study. */
const SAFE_ACCESSION = /^(?! *$)[ -)+->@-[\]-~\u00a1-\ud7ff]{1,16}$/;
/** XNAT's ids of projects. */
const params = z.object({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/, "must be the id of an XNAT project"),
});
const ERRORS = ["FLIP_NOT_CONFIGURED", "PROJECTS_LIMITED"] as const;
/** What XNAT and the data-access API may be refused by, or refuse with. */
const STATUS_ERRORS = ["FLIP_PROJECT_NOT_FOUND", "FLIP_COHORT_REFUSED", "HTTP_UNAVAILABLE"] as const;

/** Projects of FLIP are XNAT's: who is limited to some of ours has nothing to do with them. */
function flipOf({ services, actor }: RequestContext): FlipApi {
  if (actor.projects !== undefined) throw new GatewayError("PROJECTS_LIMITED");
  if (services.flip === undefined) throw new GatewayError("FLIP_NOT_CONFIGURED");
  return services.flip;
}

export const flipRoutes: readonly Route[] = [
  ...(["retrieve", "retry"] as const).map((verb) =>
    route({
      method: "POST",
      path: `/flip/projects/{id}/${verb}`,
      tag,
      summary:
        verb === "retrieve" ? "Have XNAT draw a project's cohort from its PACS" : "Have XNAT draw again what failed",
      operation: "submitCohort",
      status: 202,
      params,
      body: flipQuery,
      answer: schemas.FlipRetrieval,
      errors: ERRORS,
      handle: ({ path: { id }, body: { query } }, context) =>
        requestRetrieval(flipOf(context), id, { isRetry: verb === "retry", query }, context.signal),
    }),
  ),
  route({
    method: "GET",
    path: "/flip/projects/{id}/import-status",
    tag,
    summary: "Sort a project's accession numbers by what became of them",
    operation: "exportCohort",
    params,
    query: flipQueryParameters,
    answer: schemas.FlipStatus,
    errors: [...ERRORS, ...STATUS_ERRORS],
    async handle({ path: { id }, query: { encoded_query: encoded } }, context) {
      const flip = flipOf(context);
      const { actor, services, signal } = context;
      await services.audit.record({
        event: "identified-values-shown",
        actor,
        outcome: "success",
        detail: { flipProject: id },
      });
      return await importStatus(flip, id, decodedQuery(encoded), signal);
    },
  }),
  route({
    method: "GET",
    path: "/flip/candidates",
    tag,
    summary: "List the studies that the PACS has under an accession number, where it has several",
    operation: "exportCohort",
    query: z.object({
      accession_number: z.string().regex(SAFE_ACCESSION, "must be an accession number, without wildcards"),
    }),
    answer: schemas.FlipCandidates,
    errors: [...ERRORS, ...STATUS_ERRORS],
    async handle({ query: { accession_number: accession } }, context) {
      const flip = flipOf(context);
      const { actor, services, signal } = context;
      await services.audit.record({ event: "identified-values-shown", actor, outcome: "success" });
      return { items: await candidatesFor(flip, accession, signal) };
    },
  }),
  route({
    method: "POST",
    path: "/flip/projects/{id}/cancel",
    tag,
    summary: "End what a project's retrievals still wait for",
    operation: "cancelCohort",
    params,
    answer: flipCancelled,
    errors: ERRORS,
    handle: async ({ path: { id } }, context) => ({ cancelled: await flipOf(context).tasks.cancel(id) }),
  }),
  route({
    method: "GET",
    path: "/flip/tasks",
    tag,
    summary: "List retrievals that outlive their request, the newest first",
    operation: "listStudies",
    query: z.object(paging),
    answer: schemas.FlipTaskPage,
    errors: ERRORS,
    handle: ({ query: { cursor, limit } }, context) =>
      withCursor(cursor, async () => {
        const { tasks } = flipOf(context);
        const found = await tasks.listAll({ ...(cursor === undefined ? {} : { after: cursor }), limit: limit + 1 });
        const shown = found.slice(0, limit);
        return { items: shown.map(describeTask), next: found.length > limit ? (shown.at(-1)?.id ?? null) : null };
      }),
  }),
];

/** @throws RequestError when it is no text in base64url */
function decodedQuery(encoded: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(encoded, "base64url"));
  } catch {
    throw new RequestError([{ in: "query", at: "encodedQuery", message: "must be UTF-8 in base64url" }]);
  }
}
