import { Readable } from "node:stream";
import { z } from "zod";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { begun } from "../begun.ts";
import { pageFrom } from "../page.ts";
import { type Route, route, uploadRoute } from "../route.ts";
import { idParameter, limitParameter, nameParameter, numberParameter } from "../schemas/fields.ts";
import { foundChoice, searchWish } from "../schemas/inquiry-schemas.ts";
import { schemas } from "../schemas/schemas.ts";
import { withSomeFindings } from "./cohort-routes.ts";

const tag = "Inquiries";
const params = z.object({ inquiry: idParameter });
const NOT_FOUND = ["INQUIRY_NOT_FOUND"] as const;

const SEARCH_REFUSALS = [
  ...(["PROJECT_UNKNOWN", "ARCHIVE_UNKNOWN", "SEARCH_QUERY_INVALID", "SEARCH_TOO_BROAD"] as const),
  ...(["QUERY_KEY_UNKNOWN", "QUERY_KEY_MALFORMED"] as const),
] as const;

/** What takes its time is begun by one request and looked at by others. */
export const inquiryRoutes: readonly Route[] = [
  uploadRoute({
    method: "POST",
    path: "/cohorts/plan",
    tag,
    summary: "Begin to ask the archives what submitting a cohort file would come to; nothing is moved or kept",
    operation: "planCohort",
    status: 202,
    query: z.object({ project: nameParameter }),
    answer: schemas.Plan,
    errors: [
      "PROJECT_UNKNOWN",
      "COHORT_UNREADABLE",
      "COHORT_NO_KEY_COLUMN",
      "WITHDRAWN_KEY_OTHER",
      "INQUIRIES_EXHAUSTED",
    ],
    handle: ({ query: { project }, body }, { operations }) => operations.planCohort(body.path, project),
  }),
  route({
    method: "POST",
    path: "/cohorts/{cohort}/check",
    tag,
    summary: "Begin to compare archives, ledger and destinations for a cohort; the difference is queued if told",
    operation: "checkCohortDelivery",
    status: 202,
    params: z.object({ cohort: idParameter }),
    body: z.object({ queue: z.boolean().default(false) }),
    answer: schemas.Check,
    errors: ["COHORT_NOT_FOUND", "INQUIRIES_EXHAUSTED"],
    handle: ({ path: { cohort }, body }, { operations }) => operations.checkCohortDelivery(cohort, body),
  }),
  route({
    method: "GET",
    path: "/cohorts/{cohort}/evidence",
    tag: "Cohorts",
    summary: "Give out the signed evidence of a cohort; it names nobody",
    operation: "exportEvidence",
    params: z.object({ cohort: idParameter }),
    answer: { contentType: "application/zip", description: "see docs/evidence.md" },
    errors: ["COHORT_NOT_FOUND", "EVIDENCE_KEY_UNUSABLE"],
    async handle({ path: { cohort } }, { operations, reply, services }) {
      const pieces = await begun(operations.exportEvidence(cohort));
      reply.header("content-disposition", `attachment; filename="${cohort}-evidence.zip"`);
      return Readable.from(pieces).on("error", (thrown) => {
        services.logger.warn("evidence was cut short", { code: toGatewayError(thrown).code });
      });
    },
  }),
  route({
    method: "POST",
    path: "/cohorts/search/estimate",
    tag,
    summary: "Tell what a search would cost the archive, without asking it",
    operation: "estimateSearch",
    body: searchWish,
    answer: schemas.SearchEstimate,
    errors: SEARCH_REFUSALS,
    isRepeatable: false,
    handle: ({ body }, { operations }) => operations.estimateSearch(body),
  }),
  route({
    method: "POST",
    path: "/cohorts/search",
    tag,
    summary: "Begin to search an archive for the studies of a cohort; what is found is kept for an hour",
    operation: "searchCohort",
    status: 202,
    body: searchWish,
    answer: schemas.Search,
    errors: [
      ...SEARCH_REFUSALS,
      "INQUIRIES_EXHAUSTED",
      ...(["ARCHIVE_CLOSED", "ARCHIVE_PAUSED", "ARCHIVE_RESTING", "ARCHIVE_ASKED_TO_WAIT"] as const),
    ],
    handle: ({ body }, { operations }) => operations.searchCohort(body),
  }),
  route({
    method: "GET",
    path: "/inquiries/{inquiry}/result",
    tag,
    summary: "Give out what a search found, as a cohort file",
    operation: "searchResult",
    params,
    answer: { contentType: "text/csv", description: "CSV, UTF-8, the header first" },
    errors: [...NOT_FOUND, "SEARCH_NOT_KEPT"],
    async handle({ path: { inquiry } }, { operations, reply, services }) {
      const pieces = await begun(operations.searchResult(inquiry));
      reply.header("content-disposition", `attachment; filename="${inquiry}.csv"`);
      return Readable.from(pieces).on("error", (thrown) => {
        services.logger.warn("what was found was cut short", { code: toGatewayError(thrown).code });
      });
    },
  }),
  route({
    method: "GET",
    path: "/inquiries/{inquiry}/studies",
    tag,
    summary: "List what a search found, in order; it names patients",
    operation: "searchStudies",
    params,
    query: z.object({ cursor: numberParameter.optional(), limit: limitParameter }),
    answer: schemas.FoundStudyPage,
    errors: [...NOT_FOUND, "SEARCH_NOT_KEPT"],
    handle: ({ path: { inquiry }, query: { cursor = 0, limit } }, { operations }) =>
      pageFrom(operations.searchStudies(inquiry, { after: cursor, limit: limit + 1 }), {
        limit,
        cursorOf: ({ number }) => `${number}`,
      }),
  }),
  route({
    method: "POST",
    path: "/inquiries/{inquiry}/submit",
    tag,
    summary: "Submit what a search found to its project",
    operation: "submitSearch",
    status: 201,
    params,
    answer: schemas.SubmittedCohort,
    errors: [...NOT_FOUND, "SEARCH_NOT_KEPT", "COHORT_UNREADABLE"],
    handle: async ({ path: { inquiry } }, { operations }) => withSomeFindings(await operations.submitSearch(inquiry)),
  }),
  route({
    method: "POST",
    path: "/inquiries/{inquiry}/submit-chosen",
    tag,
    summary: "Submit some of what a search found to its project, chosen by row",
    operation: "submitSearch",
    status: 201,
    params,
    body: foundChoice,
    answer: schemas.SubmittedCohort,
    errors: [...NOT_FOUND, "SEARCH_NOT_KEPT", "COHORT_UNREADABLE"],
    handle: async ({ path: { inquiry }, body }, { operations }) =>
      withSomeFindings(await operations.submitSearch(inquiry, body)),
  }),
  route({
    method: "GET",
    path: "/inquiries",
    tag,
    summary: "List what was asked of late",
    operation: "listInquiries",
    answer: schemas.InquiryList,
    handle: async (_, { operations }) => ({ items: await operations.listInquiries() }),
  }),
  route({
    method: "GET",
    path: "/inquiries/{inquiry}",
    tag,
    summary: "Tell how far an inquiry is, and at its end what it came to",
    operation: "showInquiry",
    params,
    answer: schemas.Inquiry,
    errors: NOT_FOUND,
    handle: ({ path: { inquiry } }, { operations }) => operations.showInquiry(inquiry),
  }),
  route({
    method: "GET",
    path: "/inquiries/{inquiry}/items",
    tag,
    summary: "List what an inquiry found so far, in order",
    operation: "inquiryItems",
    params,
    query: z.object({ cursor: numberParameter.optional(), limit: limitParameter }),
    answer: schemas.InquiryItemPage,
    errors: NOT_FOUND,
    handle: async ({ path: { inquiry }, query: { cursor = 0, limit } }, { operations }) =>
      pageFrom(toAsync(await operations.inquiryItems(inquiry, { after: cursor, limit: limit + 1 })), {
        limit,
        cursorOf: ({ number }) => `${number}`,
      }),
  }),
  route({
    method: "POST",
    path: "/inquiries/{inquiry}/cancel",
    tag,
    summary: "End an inquiry; what it found so far stays for a while",
    operation: "cancelInquiry",
    params,
    answer: schemas.Inquiry,
    errors: NOT_FOUND,
    handle: ({ path: { inquiry } }, { operations }) => operations.cancelInquiry(inquiry),
  }),
];

async function* toAsync<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
