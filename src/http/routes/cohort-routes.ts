import { Readable } from "node:stream";
import { z } from "zod";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { CohortCheckDocument } from "../../operations/documents.ts";
import { pageFrom, withCursor } from "../page.ts";
import { type Route, route, uploadRoute } from "../route.ts";
import { idParameter, nameParameter, paging } from "../schemas/fields.ts";
import { schemas } from "../schemas/schemas.ts";
import { cancelled, priorityWish, reprioritised, retried } from "../schemas/study-schemas.ts";

const tag = "Cohorts";
const params = z.object({ cohort: idParameter });
const ofProject = z.object({ project: nameParameter });
const startParameter = z.iso
  .datetime({ offset: true })
  .meta({ description: "ISO 8601 with its offset: its studies wait for it" });
/** The export has every row; an answer has an end. */
const SHOWN_FINDINGS = 1_000;

const REFUSED = ["PROJECT_UNKNOWN", "COHORT_UNREADABLE", "COHORT_NO_KEY_COLUMN", "WITHDRAWN_KEY_OTHER"] as const;
const NOT_FOUND = ["COHORT_NOT_FOUND"] as const;

export function withSomeFindings<T extends Pick<CohortCheckDocument, "refused">>(document: T) {
  const { refused } = document;
  return { ...document, refused: refused.slice(0, SHOWN_FINDINGS), refusedFindings: refused.length };
}

export const cohortRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/cohorts",
    tag,
    summary: "List cohorts, the first one first unless told",
    operation: "listCohorts",
    query: z.object({
      ...paging,
      project: nameParameter.optional(),
      order: z.enum(["first", "newest"]).default("first"),
    }),
    answer: schemas.CohortPage,
    handle: ({ query: { cursor, limit, project, order } }, { operations }) =>
      withCursor(cursor, () =>
        pageFrom(operations.listCohorts({ after: cursor, size: limit + 1, project, newestFirst: order === "newest" }), {
          limit,
          cursorOf: ({ cohort }) => cohort,
        }),
      ),
  }),
  uploadRoute({
    method: "POST",
    path: "/cohorts",
    tag,
    summary: "Submit a cohort file",
    operation: "submitCohort",
    status: 201,
    query: z.object({ project: nameParameter, startAt: startParameter.optional() }),
    answer: schemas.SubmittedCohort,
    errors: REFUSED,
    handle: async ({ query: { project, startAt }, body }, { operations }) => {
      const options = { startAtMs: startAt === undefined ? undefined : Date.parse(startAt) };
      return withSomeFindings(await operations.submitCohort(body.path, project, options));
    },
  }),
  uploadRoute({
    method: "POST",
    path: "/cohorts/check",
    tag,
    summary: "Tell what submitting a cohort file would find; nothing is kept",
    operation: "checkCohort",
    isRepeatable: false,
    query: ofProject,
    answer: schemas.CohortCheck,
    errors: REFUSED,
    handle: async ({ query: { project }, body }, { operations }) =>
      withSomeFindings(await operations.checkCohort(body.path, project)),
  }),
  route({
    method: "GET",
    path: "/cohorts/{cohort}",
    tag,
    summary: "Tell how a cohort stands",
    operation: "cohortStatus",
    params,
    answer: schemas.CohortStatus,
    errors: NOT_FOUND,
    handle: ({ path: { cohort } }, { operations }) => operations.cohortStatus(cohort),
  }),
  route({
    method: "GET",
    path: "/cohorts/{cohort}/export",
    tag,
    summary: "Give out a cohort's rows as they were submitted, each with what became of it",
    operation: "exportCohort",
    params,
    answer: { contentType: "text/csv", description: "CSV, UTF-8, the header first" },
    errors: NOT_FOUND,
    async handle({ path: { cohort } }, { operations, reply, services }) {
      const rows = operations.exportCohort(cohort)[Symbol.asyncIterator]();
      // What goes wrong before the first line is still an answer of its own.
      const first = await rows.next();
      async function* text(): AsyncGenerator<string> {
        for (let next = first; next.done !== true; next = await rows.next()) yield next.value;
      }
      reply.header("content-disposition", `attachment; filename="${cohort}.csv"`);
      return Readable.from(text()).on("error", (thrown) => {
        services.logger.warn("export was cut short", { code: toGatewayError(thrown).code });
      });
    },
  }),
  route({
    method: "POST",
    path: "/cohorts/{cohort}/retry",
    tag,
    summary: "Have what failed, was held or was not found tried again",
    operation: "retryCohort",
    params,
    answer: retried,
    errors: NOT_FOUND,
    handle: ({ path: { cohort } }, { operations }) => operations.retryCohort(cohort),
  }),
  route({
    method: "POST",
    path: "/cohorts/{cohort}/cancel",
    tag,
    summary: "Cancel what is not done and no other cohort holds",
    operation: "cancelCohort",
    params,
    answer: cancelled,
    errors: NOT_FOUND,
    handle: ({ path: { cohort } }, { operations }) => operations.cancelCohort(cohort),
  }),
  route({
    method: "POST",
    path: "/cohorts/{cohort}/priority",
    tag,
    summary: "Make what is not done more or less urgent; what another cohort wants too is not made less",
    operation: "prioritiseCohort",
    params,
    body: priorityWish,
    answer: reprioritised,
    errors: NOT_FOUND,
    handle: ({ path: { cohort }, body: { priority } }, { operations }) => operations.prioritiseCohort(cohort, priority),
  }),
];
