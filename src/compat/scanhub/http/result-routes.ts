import { randomUUID } from "node:crypto";
import { z } from "zod";
import { resultOut } from "../documents.ts";
import { setResultBody } from "../models.ts";
import type { ScanHubWorld } from "../world.ts";
import { json, refusal, route, type ScanHubRoute } from "./route.ts";
import { idOf } from "./task-routes.ts";

const NOT_UPDATED = "Could not update result, either because it does not exist, or for another reason.";
const NOT_DELETED = "Could not delete result, either because it does not exist, or for another reason.";

async function remove({ store }: ScanHubWorld, id: string) {
  if (!(await store.removeScanResult(id))) throw refusal(404, NOT_DELETED);
  return "nothing" as const;
}

export const resultRoutes: readonly ScanHubRoute[] = [
  route({
    method: "POST",
    path: "/result",
    summary: "Create Blank Result",
    status: 201,
    query: z.object({ task_id: z.string() }),
    async handle({ query }, { store, clock }) {
      const taskId = idOf(query.task_id, "task_id");
      const task = await store.scanTask(taskId);
      if (task === undefined) throw refusal(400, "Parent (task_id) does not exist.");
      if (task.isTemplate) throw refusal(400, "Result parent (task) must not be a template.");
      const result = await store.addScanResult({ id: randomUUID(), taskId }, clock.nowMs());
      if (result === undefined) throw refusal(404, "Could not create result");
      return json(resultOut(result));
    },
  }),
  // Device-managers name the result in the query; the original's own server knows the other form only.
  route({
    method: "DELETE",
    path: "/result",
    summary: "Delete Blank Result",
    status: 204,
    query: z.object({ result_id: z.string() }),
    handle: ({ query }, world) => remove(world, idOf(query.result_id, "result_id")),
  }),
  route({
    method: "GET",
    path: "/result/all/{task_id}",
    summary: "Get All Task Results",
    async handle({ path }, { store }) {
      const results = await store.scanResults(idOf(path("task_id"), "task_id"));
      return json(results.map(resultOut));
    },
  }),
  route({
    method: "GET",
    path: "/result/{result_id}",
    summary: "Get Result",
    async handle({ path }, { store }) {
      const result = await store.scanResult(idOf(path("result_id"), "result_id"));
      if (result === undefined) throw refusal(404, "Result not found");
      return json(resultOut(result));
    },
  }),
  route({
    method: "PUT",
    path: "/result/{result_id}",
    summary: "Set Result",
    body: setResultBody,
    async handle({ path, body }, { store }) {
      const { type, directory, files, meta } = body;
      const id = idOf(path("result_id"), "result_id");
      const content = { type, directory, files, meta: meta === null ? undefined : JSON.stringify(meta) };
      const result = await store.setScanResult(id, content);
      if (result === undefined) throw refusal(404, NOT_UPDATED);
      return json(resultOut(result));
    },
  }),
  route({
    method: "DELETE",
    path: "/result/{result_id}",
    summary: "Delete Result",
    status: 204,
    handle: ({ path }, world) => remove(world, idOf(path("result_id"), "result_id")),
  }),
];
