import { z } from "zod";
import { pageFrom, withCursor } from "../page.ts";
import { type Route, route } from "../route.ts";
import { idParameter, nameParameter, paging } from "../schemas/fields.ts";
import { intakeState } from "../schemas/intake-schemas.ts";
import { schemas } from "../schemas/schemas.ts";

const tag = "Studies";
const params = z.object({ id: idParameter });

export const intakeRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/intake",
    tag,
    summary: "List studies that were sent to our listener unasked, the first one first",
    operation: "listIntake",
    query: z.object({ ...paging, state: intakeState.optional() }),
    answer: schemas.IntakePage,
    errors: ["PROJECTS_LIMITED"],
    handle: ({ query: { cursor, limit, ...filter } }, { operations }) =>
      withCursor(cursor, () =>
        pageFrom(operations.listIntake(filter, { after: cursor, size: limit + 1 }), {
          limit,
          cursorOf: ({ id }) => id,
        }),
      ),
  }),
  route({
    method: "POST",
    path: "/intake/{id}/assign",
    tag,
    summary: "Give a held study to a project",
    operation: "assignIntake",
    params,
    body: z.object({ project: nameParameter }),
    answer: schemas.IntakeDecision,
    errors: ["INTAKE_NOT_HELD", "INTAKE_JOB_UNDER_WAY", "PROJECT_UNKNOWN", "PROJECTS_LIMITED"],
    handle: ({ path: { id }, body: { project } }, { operations }) => operations.assignIntake(id, project),
  }),
  route({
    method: "POST",
    path: "/intake/{id}/discard",
    tag,
    summary: "Remove a held study",
    operation: "discardIntake",
    params,
    answer: schemas.IntakeDecision,
    errors: ["INTAKE_NOT_HELD", "PROJECTS_LIMITED"],
    handle: ({ path: { id } }, { operations }) => operations.discardIntake(id),
  }),
];
