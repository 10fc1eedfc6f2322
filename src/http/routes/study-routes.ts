import { z } from "zod";
import { pageFrom, withCursor } from "../page.ts";
import { type Route, route } from "../route.ts";
import { idParameter, jobState, nameParameter, paging } from "../schemas/fields.ts";
import { codeParameter } from "../schemas/insight-schemas.ts";
import { schemas } from "../schemas/schemas.ts";
import { cancelled, priorityWish, releaseWish, reprioritised, retried } from "../schemas/study-schemas.ts";
import { RequestError } from "../validation.ts";

const tag = "Studies";
const params = z.object({ id: idParameter });
const NOT_FOUND = ["JOB_NOT_FOUND"] as const;

export const studyRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/studies",
    tag,
    summary: "List study jobs, the first one first",
    operation: "listStudies",
    query: z.object({
      ...paging,
      state: jobState.optional(),
      cohort: idParameter.optional(),
      project: nameParameter.optional(),
      code: codeParameter.optional(),
    }),
    answer: schemas.StudyPage,
    errors: ["COHORT_NOT_FOUND", "PROJECT_UNKNOWN"],
    handle: ({ query: { cursor, limit, ...filter } }, { operations }) =>
      withCursor(filter.cohort === undefined ? cursor : undefined, () =>
        pageFrom(operations.listStudies(filter, { after: cursor, size: limit + 1 }), {
          limit,
          cursorOf: ({ id }) => id,
        }),
      ),
  }),
  route({
    method: "GET",
    path: "/studies/{id}",
    tag,
    summary: "Show a study job with its timeline",
    operation: "showStudy",
    params,
    answer: schemas.Study,
    errors: NOT_FOUND,
    handle: ({ path: { id } }, { operations }) => operations.showStudy(id),
  }),
  route({
    method: "GET",
    path: "/studies/{id}/ledger",
    tag,
    summary: "Account for a study's instances, by series",
    operation: "studyLedger",
    params,
    answer: schemas.Ledger,
    errors: NOT_FOUND,
    handle: async ({ path: { id } }, { operations }) => ({ items: await operations.studyLedger(id) }),
  }),
  route({
    method: "GET",
    path: "/studies/{id}/identity",
    tag,
    summary: "Tell who a study is of; that it was told stands in the audit trail",
    operation: "showIdentity",
    params,
    answer: schemas.Identity,
    errors: NOT_FOUND,
    handle: ({ path: { id } }, { operations }) => operations.showIdentity(id),
  }),
  route({
    method: "POST",
    path: "/studies/{id}/retry",
    tag,
    summary: "Have a study tried again that failed, was held or was not found",
    operation: "retryStudy",
    params,
    answer: retried,
    errors: NOT_FOUND,
    handle: ({ path: { id } }, { operations }) => operations.retryStudy(id),
  }),
  route({
    method: "POST",
    path: "/studies/{id}/cancel",
    tag,
    summary: "Cancel a study that is not done",
    operation: "cancelStudy",
    params,
    answer: cancelled,
    errors: NOT_FOUND,
    handle: ({ path: { id } }, { operations }) => operations.cancelStudy(id),
  }),
  route({
    method: "POST",
    path: "/studies/{id}/priority",
    tag,
    summary: "Make a study that is not done more or less urgent",
    operation: "prioritiseStudy",
    params,
    body: priorityWish,
    answer: reprioritised,
    errors: NOT_FOUND,
    handle: ({ path: { id }, body: { priority } }, { operations }) => operations.prioritiseStudy(id, priority),
  }),
  route({
    method: "POST",
    path: "/studies/{id}/release",
    tag,
    summary: "Have a quarantined study de-identified and verified again, with named exceptions",
    operation: "releaseStudy",
    params,
    body: releaseWish,
    answer: schemas.Release,
    errors: [...NOT_FOUND, "STUDY_NOT_QUARANTINED", "RELEASE_INVALID"],
    handle: ({ path: { id }, body }, { operations }) => operations.releaseStudy(id, body),
  }),
  route({
    method: "GET",
    path: "/deliveries",
    tag: "Deliveries",
    summary: "List deliveries with what was proven of them, by study",
    operation: "listDeliveries",
    query: z.object({ ...paging, state: z.enum(["sending", "sent", "confirmed", "failed"]).optional() }),
    answer: schemas.DeliveryPage,
    handle: ({ query: { cursor, limit, state } }, { operations }) =>
      withCursor(cursor, () =>
        pageFrom(operations.listDeliveries({ state, after: deliveryAt(cursor), limit: limit + 1 }), {
          limit,
          cursorOf: ({ job, destination }) => `${job}:${destination}`,
        }),
      ),
  }),
];

function deliveryAt(cursor: string | undefined) {
  if (cursor === undefined) return undefined;
  const [, job, destination] = /^([^:]+):(.+)$/.exec(cursor) ?? [];
  if (job === undefined || destination === undefined)
    throw new RequestError([{ in: "query", at: "cursor", message: "is of no page that there was" }]);
  return { job, destination };
}
