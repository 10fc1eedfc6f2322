import { z } from "zod";
import { INTAKE_STATES } from "../../store/intake.ts";
import { count, jobState, pageOf, time } from "./fields.ts";

export const intakeState = z.enum(INTAKE_STATES);

const intakeStudy = z.object({
  id: z.string(),
  state: intakeState,
  code: z.string().nullable().meta({ description: "why it is held" }),
  message: z.string().nullable(),
  project: z.string().nullable(),
  study: z.string().nullable().meta({ description: "the project's study that it became" }),
  studyState: jobState.nullable(),
  rule: z.string().nullable(),
  sender: z.string(),
  modality: z.string(),
  instances: count,
  expected: count.nullable().meta({ description: "how many it should hold, as an archive said" }),
  firstAt: time,
  lastAt: time,
});

export const intakePage = pageOf(intakeStudy);

export const intakeDecision = z.object({
  id: z.string(),
  decision: z.enum(["assigned", "discarded"]),
  project: z.string().nullable(),
});
