import { z } from "zod";
import { deviceRoutes } from "./device-routes.ts";
import { openApiOf } from "./openapi.ts";
import { resultRoutes } from "./result-routes.ts";
import type { ScanHubRoute } from "./route.ts";
import { sequenceRoutes } from "./sequence-routes.ts";
import { taskRoutes } from "./task-routes.ts";

const EXAM_BASE = "/api/v1/exam";
export const DEVICE_BASE = "/api/v1/device";

const examRoutes: readonly ScanHubRoute[] = [...taskRoutes, ...resultRoutes, ...sequenceRoutes];

export const ROUTES: readonly { readonly base: string; readonly routes: readonly ScanHubRoute[] }[] = [
  { base: EXAM_BASE, routes: examRoutes },
  { base: DEVICE_BASE, routes: deviceRoutes },
];

/** By these keys clients tell the second version from the first. */
const TASK_SCHEMA = z.toJSONSchema(
  z.object({
    id: z.string(),
    workflow_id: z.string().nullable(),
    name: z.string(),
    description: z.string(),
    task_type: z.literal("ACQUISITION"),
    destination: z.string(),
    status: z.string(),
    progress: z.int(),
    is_template: z.boolean(),
    position: z.int(),
    device_id: z.string().nullable(),
    calibration: z.array(z.string()),
    sequence_id: z.string().nullable(),
    acquisition_parameter: z.unknown(),
    acquisition_limits: z.unknown(),
    creator: z.string(),
    datetime_created: z.string(),
    datetime_updated: z.string().nullable(),
    results: z.array(z.unknown()),
  }),
);

/** Where balancers and containers ask; no token is needed. */
export const READINESS: readonly string[] = [EXAM_BASE, DEVICE_BASE].map((base) => `${base}/health/readiness`);

/** Pages that need no token. */
export const PAGES: Readonly<Record<string, () => unknown>> = {
  [`${EXAM_BASE}/openapi.json`]: () =>
    openApiOf("Exam-Manager", EXAM_BASE, examRoutes, { AcquisitionTaskOut: TASK_SCHEMA }),
  [`${DEVICE_BASE}/openapi.json`]: () => openApiOf("Device-Manager", DEVICE_BASE, deviceRoutes, {}),
};
