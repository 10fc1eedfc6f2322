import { z } from "zod";
import { type Route, route } from "../route.ts";
import { idParameter, nameParameter } from "../schemas/fields.ts";
import { codeParameter, throughputQuery } from "../schemas/insight-schemas.ts";
import { schemas } from "../schemas/schemas.ts";
import { retried } from "../schemas/study-schemas.ts";

const params = z.object({ id: idParameter });

/** How work goes, why some of it does not, and what became of a study's content. */
export const insightRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/throughput",
    tag: "Overview",
    summary: "Count what was delivered, by hour or day",
    operation: "throughput",
    query: throughputQuery,
    answer: schemas.Throughput,
    errors: ["PROJECT_UNKNOWN"],
    handle: ({ query }, { operations }) => operations.throughput(query),
  }),
  route({
    method: "GET",
    path: "/failures",
    tag: "Studies",
    summary: "Count what went wrong by its code, the most frequent first",
    operation: "listFailures",
    query: z.object({ project: nameParameter.optional() }),
    answer: schemas.FailureList,
    errors: ["PROJECT_UNKNOWN"],
    handle: async ({ query }, { operations }) => ({ items: await operations.listFailures(query) }),
  }),
  route({
    method: "POST",
    path: "/failures/{code}/retry",
    tag: "Studies",
    summary: "Have every study tried again that ended with a code",
    operation: "retryFailures",
    params: z.object({ code: codeParameter }),
    query: z.object({ project: nameParameter.optional(), cohort: idParameter.optional() }),
    answer: retried,
    errors: ["PROJECT_UNKNOWN", "COHORT_NOT_FOUND"],
    handle: ({ path: { code }, query }, { operations }) => operations.retryFailures(code, query),
  }),
  route({
    method: "GET",
    path: "/studies/{id}/report",
    tag: "Studies",
    summary: "Tell what the last de-identification of a study removed and replaced",
    operation: "studyReport",
    params,
    answer: schemas.DeidReport,
    errors: ["JOB_NOT_FOUND", "STUDY_REPORT_NOT_KEPT", "STORE_DAMAGED"],
    handle: ({ path: { id } }, { operations }) => operations.studyReport(id),
  }),
  route({
    method: "GET",
    path: "/studies/{id}/thumbnail",
    tag: "Studies",
    summary: "Show a slice of a study's de-identified copy, small and grey",
    operation: "studyThumbnail",
    params,
    answer: { contentType: "image/png", description: "PNG of at most 128 by 128 pixels" },
    errors: ["JOB_NOT_FOUND", "STUDY_THUMBNAIL_NOT_KEPT"],
    handle: async ({ path: { id } }, { operations }) => Buffer.from(await operations.studyThumbnail(id)),
  }),
];
