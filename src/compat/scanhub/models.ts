import { z } from "zod";
import { RESULT_TYPES } from "../../acquisition/signatures.ts";
import { SCAN_TASK_STATUSES } from "../../store/acquisition-states.ts";
import { pythonText } from "../fastapi/python-json.ts";
import { laxBoolean, laxInteger, laxNumber, problemsIn, ValidationFailure } from "../fastapi/validation.ts";

/** Which generation of ScanHub's schemas is held to: v1 wants sequence and parameters, v2 lets both be null. */
export type ApiGeneration = "v1" | "v2";

/** As Python's UUID reads it; answers it in canonical form. */
export const uuid = z.unknown().transform((text, context) => {
  if (text === undefined) {
    context.issues.push({ code: "invalid_type", expected: "string", input: text });
    return z.NEVER;
  }
  if (typeof text !== "string") {
    const params = { type: "uuid_type", msg: "UUID input should be a string, bytes or UUID object" };
    context.issues.push({ code: "custom", input: text, params });
    return z.NEVER;
  }
  const digits = text
    .toLowerCase()
    .replace(/^urn:uuid:/, "")
    .replaceAll(/[{}-]/g, "");
  if (/^[0-9a-f]{32}$/.test(digits)) return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  const msg = "Input should be a valid UUID, unable to parse string as an UUID";
  context.issues.push({ code: "custom", input: text, params: { type: "uuid_parsing", msg } });
  return z.NEVER;
});

/** JSON has no word for the infinities. */
const coordinate = laxNumber.pipe(z.number());
const xyz = z.object({ x: coordinate, y: coordinate, z: coordinate });
const acquisitionParameter = z.object({ fov_scaling: xyz, fov_offset: xyz, fov_rotation: xyz });
const acquisitionLimits = z.object({
  patient_height: laxInteger,
  patient_weight: laxInteger,
  patient_gender: z.enum(["MALE", "FEMALE", "OTHER", "NOT_GIVEN"]).default("NOT_GIVEN"),
  patient_age: laxInteger,
});

const baseTask = {
  workflow_id: uuid.nullable().default(null),
  name: z.string(),
  description: z.string(),
  destination: z.string(),
  status: z.enum(SCAN_TASK_STATUSES),
  progress: laxInteger,
  is_template: laxBoolean,
  position: laxInteger.optional(),
};

const acquisitionOf = <S extends z.ZodType, P extends z.ZodType>(sequence_id: S, acquisition_parameter: P) =>
  z.object({
    ...baseTask,
    task_type: z.literal("ACQUISITION"),
    device_id: uuid.nullable().default(null),
    calibration: z.array(z.enum(["flip-angle", "frequency", "shims"])).optional(),
    sequence_id,
    acquisition_parameter,
    acquisition_limits: acquisitionLimits.nullish(),
  });

const ACQUISITION_TASKS = {
  v1: acquisitionOf(z.string(), acquisitionParameter),
  v2: acquisitionOf(z.string().nullable().default(null), acquisitionParameter.nullable().default(null)),
} as const;

const dagTask = z.object({
  ...baseTask,
  task_type: z.literal("DAG"),
  dag_type: z.enum(["RECONSTRUCTION", "PROCESSING"]),
  dag_id: z.string(),
  input_task_ids: z.array(uuid).default([]),
  parameter: z.record(z.string(), z.unknown()).nullable().default(null),
});

export type TaskBody = z.infer<(typeof ACQUISITION_TASKS)["v2"]> | z.infer<typeof dagTask>;

const TAGS = "<TaskType.ACQUISITION: 'ACQUISITION'>, <TaskType.DAG: 'DAG'>";

/** A union told apart by `task_type`, as pydantic reads it. @throws ValidationFailure */
export function taskBody(value: unknown, generation: ApiGeneration): TaskBody {
  if (value === undefined) throw missing(["body"], null);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const msg = "Input should be a valid dictionary or object to extract fields from";
    throw new ValidationFailure([{ type: "model_attributes_type", loc: ["body"], msg, input: value }]);
  }
  const tag: unknown = Reflect.get(value, "task_type");
  if (tag === undefined) {
    const msg = "Unable to extract tag using discriminator 'task_type'";
    const ctx = { discriminator: "'task_type'" };
    throw new ValidationFailure([{ type: "union_tag_not_found", loc: ["body"], msg, input: value, ctx }]);
  }
  const schema = tag === "ACQUISITION" ? ACQUISITION_TASKS[generation] : tag === "DAG" ? dagTask : undefined;
  if (schema === undefined) {
    const msg = `Input tag '${pythonText(tag)}' found using 'task_type' does not match any of the expected tags: ${TAGS}`;
    const ctx = { discriminator: "'task_type'", tag: pythonText(tag), expected_tags: TAGS };
    throw new ValidationFailure([{ type: "union_tag_invalid", loc: ["body"], msg, input: value, ctx }]);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ValidationFailure(problemsIn(schema, value, ["body", pythonText(tag)]));
}

function missing(loc: readonly string[], input: unknown): ValidationFailure {
  return new ValidationFailure([{ type: "missing", loc, msg: "Field required", input }]);
}

export const setResultBody = z.object({
  type: z.enum(RESULT_TYPES),
  directory: z.string(),
  files: z.array(z.string()).default([]),
  meta: z.record(z.string(), z.unknown()).nullable().default(null),
});

export const reorderBody = z.object({ task_ids: z.array(uuid) });

export const deviceCreation = z.object({ name: z.string(), description: z.string() });

/** What a device says of itself. */
export const deviceDetails = z.object({
  device_name: z.string().nullish(),
  serial_number: z.string().nullish(),
  manufacturer: z.string().nullish(),
  modality: z.string().nullish(),
  site: z.string().nullish(),
  parameter: z.record(z.string(), z.unknown()).nullish(),
});

export const freeObject = z.record(z.string(), z.unknown());

export const sequenceChange = z.object({
  name: z.string().nullish(),
  description: z.string().nullish(),
  sequence_type: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
});
