import { randomUUID } from "node:crypto";
import { z } from "zod";
import { TASK_TRANSITIONS } from "../../../acquisition/ups.ts";
import type { ScanTask } from "../../../store/acquisitions.ts";
import { laxBoolean } from "../../fastapi/validation.ts";
import { type Json, mergedFields, taskColumns, taskOut } from "../documents.ts";
import { reorderBody, type TaskBody, taskBody, uuid } from "../models.ts";
import type { ScanHubWorld } from "../world.ts";
import { json, refusal, route, type ScanHubRoute } from "./route.ts";

/** Of one workflow, and of all templates. */
const PAGE = 10_000;

/** Its states are few, and each follows another at most once in an attempt. */
const UPDATE_TRIES = 8;

const NOT_UPDATED = "Could not update workflow, either because it does not exist, or for another reason.";
const NOT_ALLOWED = "The task's state does not allow this change.";
const NOT_DELETED = "Could not delete task, either because it does not exist, or for another reason.";

/** @throws AnswerError 400 */
export function idOf(text: string, name: "task_id" | "result_id" | "device_id"): string {
  const parsed = uuid.safeParse(text);
  if (!parsed.success) throw refusal(400, `Badly formed ${name}.`);
  return parsed.data;
}

async function shown({ store }: ScanHubWorld, task: ScanTask): Promise<Json> {
  return taskOut(task, await store.scanResults(task.id));
}

async function shownAll(world: ScanHubWorld, tasks: readonly ScanTask[]): Promise<readonly Json[]> {
  const all = await Promise.all(tasks.map((task) => shown(world, task)));
  // As the second version lists them; those without a position are all at 0.
  return all.sort((one, other) => Number(one.position ?? 0) - Number(other.position ?? 0));
}

function checkLink({ is_template, workflow_id }: TaskBody): void {
  if (!is_template && workflow_id === null) throw refusal(400, "Task instance needs workflow_id.");
}

export const taskRoutes: readonly ScanHubRoute[] = [
  route({
    method: "POST",
    path: "/task/new",
    summary: "Create Task",
    status: 201,
    takes: "json",
    async handle({ raw }, world) {
      const body = taskBody(raw.body, world.settings.generation);
      if (body.status !== "NEW") throw refusal(400, "New task needs to have status NEW");
      checkLink(body);
      return json(await create(world, taskColumns(body), raw.user.user));
    },
  }),
  route({
    method: "POST",
    path: "/task",
    summary: "Create Task From Template",
    status: 201,
    query: z.object({ workflow_id: uuid.optional(), template_id: uuid, new_task_is_template: laxBoolean }),
    async handle({ query, raw }, world) {
      const template = await world.store.scanTask(query.template_id);
      if (template === undefined) throw refusal(404, "Task template not found");
      if (!template.isTemplate)
        throw refusal(400, "Request to create task from task instance instead of task template.");
      const { new_task_is_template: isTemplate, workflow_id: workflowId } = query;
      if (!isTemplate && workflowId === undefined) throw refusal(400, "Task instance needs workflow_id.");
      const { deviceId, status, progress } = template;
      const fields: Json = JSON.parse(template.fields);
      const columns = { workflowId, deviceId, isTemplate, status, progress, fields };
      return json(await create(world, columns, raw.user.user));
    },
  }),
  route({
    method: "GET",
    path: "/task/all/{workflow_id}",
    summary: "Get All Workflow Tasks",
    async handle({ path }, world) {
      const parsed = uuid.safeParse(path("workflow_id"));
      if (!parsed.success) throw refusal(400, "Badly formed workflow_id.");
      return json(await shownAll(world, await world.store.listScanTasks({ workflowId: parsed.data, limit: PAGE })));
    },
  }),
  route({
    method: "GET",
    path: "/task/templates/all",
    summary: "Get All Task Templates",
    handle: async (_, world) =>
      json(await shownAll(world, await world.store.listScanTasks({ isTemplate: true, limit: PAGE }))),
  }),
  route({
    method: "PUT",
    path: "/task/reorder",
    summary: "Reorder Tasks",
    status: 204,
    body: reorderBody,
    async handle({ body }, { store, clock }) {
      for (const [position, id] of body.task_ids.entries()) {
        const task = await store.scanTask(id);
        if (task === undefined) continue;
        const fields: Json = JSON.parse(task.fields);
        await store.changeScanTask(id, { fields: JSON.stringify({ ...fields, position }) }, clock.nowMs());
      }
      return "nothing";
    },
  }),
  route({
    method: "GET",
    path: "/task/{task_id}",
    summary: "Get Task",
    async handle({ path }, world) {
      const task = await world.store.scanTask(idOf(path("task_id"), "task_id"));
      if (task === undefined) throw refusal(404, "Task not found");
      return json(await shown(world, task));
    },
  }),
  route({
    method: "PUT",
    path: "/task/{task_id}",
    summary: "Update Task",
    takes: "json",
    handle: ({ path, raw }, world) => updateTask(world, path("task_id"), raw.body),
  }),
  route({
    method: "DELETE",
    path: "/task/{task_id}",
    summary: "Delete Task",
    status: 204,
    async handle({ path }, { store, clock, ledger }) {
      const id = idOf(path("task_id"), "task_id");
      await store.askToCancelAcquisition({ origin: ledger.world.exams.origin, taskId: id }, clock.nowMs());
      if (!(await store.removeScanTask(id))) throw refusal(404, NOT_DELETED);
      return "nothing";
    },
  }),
];

async function create(
  world: ScanHubWorld,
  { fields, ...columns }: ReturnType<typeof taskColumns>,
  creator: string,
): Promise<Json> {
  const { workflowId } = columns;
  const before = workflowId === undefined ? [] : await world.store.listScanTasks({ workflowId, limit: PAGE });
  const positions = before.map((task): number => Number((JSON.parse(task.fields) as Json).position ?? 0));
  const position = positions.length === 0 ? 0 : Math.max(...positions) + 1;
  const task = {
    ...columns,
    id: randomUUID(),
    creator,
    fields: JSON.stringify({ ...fields, position }),
    wantedAtMs: undefined,
  };
  return await shown(world, await world.store.addScanTask(task, world.clock.nowMs()));
}

/**
 * Replaces the task's own fields. Status and progress are those of the ledger while a device is at the task, and a late report of an attempt
 * that ended changes neither: the answer says what holds; a strict face answers 409.
 */
async function updateTask(world: ScanHubWorld, taskId: string, raw: unknown) {
  const body = taskBody(raw, world.settings.generation);
  const id = idOf(taskId, "task_id");
  checkLink(body);
  for (let tries = 1; ; tries += 1) {
    const before = await world.store.scanTask(id);
    if (before === undefined) throw refusal(404, NOT_UPDATED);
    const changed = await changeTask(world, before, body);
    if (changed !== undefined) return json(await shown(world, changed));
    // Its state is another one by now: what was asked for is looked at anew, and not lost.
    if (tries === UPDATE_TRIES) throw refusal(409, NOT_ALLOWED);
  }
}

/** Undefined: the task's state changed meanwhile, and the task did not. */
async function changeTask({ store, clock, settings }: ScanHubWorld, before: ScanTask, body: TaskBody) {
  const { id } = before;
  const { fields, status, progress, ...columns } = taskColumns(body);
  const [held] = await store.listAcquisitions({ taskId: id, isOpen: true, limit: 1 });
  const isKept = TASK_TRANSITIONS[before.status].has(status) && (held === undefined || status === before.status);
  if (!isKept && settings.isStrict) throw refusal(409, NOT_ALLOWED);
  if (held !== undefined && !isKept) {
    const detail = JSON.stringify({ from: before.status, to: status });
    await store.addAcquisitionEvent(held.id, { event: "foreign-change-kept-out", detail }, clock.nowMs());
  }
  const isBack = status === "INPROGRESS" && before.status === "INPROGRESS" && progress < before.progress;
  const mayProgress = isKept && held === undefined && !isBack;
  const change = {
    ...columns,
    fields: mergedFields(before.fields, fields, settings.isStrict),
    ...(isKept ? { status } : {}),
    ...(mayProgress ? { progress } : {}),
  };
  return await store.changeScanTask(id, change, clock.nowMs(), [before.status]);
}
