import { z } from "zod";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { pageFrom, withCursor } from "../page.ts";
import { type Route, route } from "../route.ts";
import { idParameter, paging } from "../schemas/fields.ts";
import {
  cancelledScanTask,
  newScanTask,
  releasedScanFiles,
  retriedScanTask,
  taskStatus,
} from "../schemas/scanner-schemas.ts";
import { schemas } from "../schemas/schemas.ts";

const tag = "Scanners";
const params = z.object({ id: idParameter });
const SITE = ["PROJECTS_LIMITED"] as const;
const TASK_ERRORS = ["SCAN_TASK_NOT_FOUND", ...SITE] as const;
const RESULT_ERRORS = ["SCAN_RESULT_NOT_FOUND", "SCAN_RESULT_UNFIT", "SCAN_FILE_NAME_UNSAFE", ...SITE] as const;

/** RFC 8187 3.2.1 takes fewer characters than URLs do. */
function encoded(name: string): string {
  return encodeURIComponent(name).replaceAll(/['()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

const lookRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/scanners",
    tag,
    summary: "List research scanners, each with whether it is connected",
    operation: "listScanners",
    answer: schemas.ScannerList,
    errors: SITE,
    handle: async (_, { operations }) => ({ items: await Array.fromAsync(operations.listScanners()) }),
  }),
  route({
    method: "GET",
    path: "/scan-sequences",
    tag,
    summary: "List the sequences that tasks may name",
    operation: "listScanSequences",
    answer: schemas.ScanSequenceList,
    errors: SITE,
    handle: async (_, { operations }) => ({ items: await Array.fromAsync(operations.listScanSequences()) }),
  }),
  route({
    method: "GET",
    path: "/scan-tasks",
    tag,
    summary: "List tasks of scanners, the first one first",
    operation: "listScanTasks",
    query: z.object({ ...paging, status: taskStatus.optional() }),
    answer: schemas.ScanTaskPage,
    errors: SITE,
    handle: ({ query: { cursor, limit, status } }, { operations }) =>
      withCursor(cursor, () =>
        pageFrom(operations.listScanTasks({ status, after: cursor }), { limit, cursorOf: ({ id }) => id }),
      ),
  }),
  route({
    method: "GET",
    path: "/scan-tasks/{id}",
    tag,
    summary: "Show a task with its attempts, what happened in them, and its results",
    operation: "showScanTask",
    params,
    answer: schemas.ShownScanTask,
    errors: TASK_ERRORS,
    handle: ({ path: { id } }, { operations }) => operations.showScanTask(id),
  }),
];

const taskRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/scan-tasks",
    tag,
    summary: "Make a task, which starts as soon as its scanner is there",
    operation: "createScanTask",
    status: 201,
    body: newScanTask,
    answer: schemas.ScanTask,
    errors: ["SCAN_SEQUENCE_NOT_FOUND", "SCAN_DEVICE_NOT_FOUND", ...SITE],
    handle: ({ body }, { operations }) => operations.createScanTask(body),
  }),
  route({
    method: "POST",
    path: "/scan-tasks/{id}/cancel",
    tag,
    summary: "Take a task back; a scanner that runs has to be stopped at its own console",
    operation: "cancelScanTask",
    params,
    answer: cancelledScanTask,
    errors: [...TASK_ERRORS, "SCAN_TASK_NOT_SCHEDULED"],
    handle: ({ path: { id } }, { operations }) => operations.cancelScanTask(id),
  }),
  route({
    method: "POST",
    path: "/scan-tasks/{id}/retry",
    tag,
    summary: "Have a task that ended done again",
    operation: "retryScanTask",
    params,
    answer: retriedScanTask,
    errors: [...TASK_ERRORS, "SCAN_TASK_NOT_SCHEDULED", "SCAN_TASK_TAKEN"],
    handle: ({ path: { id } }, { operations }) => operations.retryScanTask(id),
  }),
  route({
    method: "POST",
    path: "/scan-tasks/{id}/release",
    tag,
    summary: "Have files of a task that got stuck published, once what kept them back is mended",
    operation: "releaseScanFiles",
    params,
    answer: releasedScanFiles,
    errors: TASK_ERRORS,
    handle: ({ path: { id } }, { operations }) => operations.releaseScanFiles(id),
  }),
];

const resultRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/scan-results",
    tag,
    summary: "List what scanners sent, the first one first",
    operation: "listScanResults",
    query: z.object({ ...paging, task: idParameter.optional() }),
    answer: schemas.ScanResultPage,
    errors: SITE,
    handle: ({ query: { cursor, limit, task } }, { operations }) =>
      withCursor(cursor, () =>
        pageFrom(operations.listScanResults({ task, after: cursor }), { limit, cursorOf: ({ id }) => id }),
      ),
  }),
  route({
    method: "POST",
    path: "/scan-results/{id}/verify",
    tag,
    summary: "Read a result's files and compare them with what was received",
    operation: "verifyScanResult",
    isRepeatable: false,
    params,
    answer: schemas.ScanResultVerdict,
    errors: [...RESULT_ERRORS, "SCAN_LAKE_UNAVAILABLE"],
    handle: ({ path: { id } }, { operations, reply }) => {
      // Hundreds of gigabytes are read before the first byte of the answer.
      reply.raw.setTimeout(0);
      return operations.verifyScanResult(id);
    },
  }),
  route({
    method: "GET",
    path: "/scan-results/{id}/files/{file}",
    tag,
    summary: "Give out a file as the scanner sent it; that it was given out stands in the audit trail",
    operation: "openScanFile",
    params: z.object({ id: idParameter, file: z.string().min(1).max(255) }),
    answer: { contentType: "application/octet-stream", description: "the file; Repr-Digest has what was received" },
    errors: [...RESULT_ERRORS, "SCAN_RESULT_DAMAGED"],
    async handle({ path: { id, file } }, { operations, reply, services, signal }) {
      const { name, sizeBytes, sha256, content } = await operations.openScanFile(id, file);
      reply.header("content-length", sizeBytes);
      // RFC 6266, RFC 8187.
      reply.header("content-disposition", `attachment; filename*=UTF-8''${encoded(name)}`);
      // RFC 9530.
      if (sha256 !== undefined)
        reply.header("repr-digest", `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`);
      signal.addEventListener("abort", () => content.destroy(), { once: true });
      return content.on("error", (thrown) => {
        services.logger.warn("file was cut short", { code: toGatewayError(thrown).code });
      });
    },
  }),
];

export const scannerRoutes: readonly Route[] = [...lookRoutes, ...taskRoutes, ...resultRoutes];
