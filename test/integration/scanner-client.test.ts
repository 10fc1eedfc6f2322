import { afterAll, expect, it } from "vitest";
import {
  createBlankResult,
  deleteBlankResult,
  getSequence,
  getTask,
  setResult,
  setTask,
} from "../../src/compat/scanhub/exam-requests.ts";
import { openScannerSite, PULSEQ } from "../peers/scanhub-site.ts";

const site = await openScannerSite();
afterAll(() => site[Symbol.asyncDispose]());
const options = { url: site.exam };

it("does for our client what a device-manager asks of an exam-manager, in its order (A20)", async () => {
  const { id, sequence_id } = await site.addTask({ calibration: ["frequency"] });
  const task = await getTask(id, site.token, options);
  expect(await getSequence(String(sequence_id), site.token, options)).toMatchObject({
    seq_file: PULSEQ.toString("utf8"),
  });
  const blank = await createBlankResult(id, site.token, options);
  expect(blank).toMatchObject({ type: "NOT_SET", directory: "", files: [], task_id: id });
  const content = { type: "MRD", directory: "/data/x", files: ["a.mrd"], meta: { a: 1 } } as const;
  expect(await setResult(blank.id, content, site.token, options)).toMatchObject(content);
  expect(await setTask(id, { ...task, status: "FINISHED", progress: 100 }, site.token, options)).toMatchObject({
    status: "FINISHED",
    calibration: ["frequency"],
    position: task.position,
    results: [{ id: blank.id }],
  });
});

it("deletes a blank result that our client takes back", async () => {
  const { id } = await site.addTask();
  const blank = await createBlankResult(id, site.token, options);
  await deleteBlankResult(blank.id, site.token, options);
  expect((await getTask(id, site.token, options)).results).toEqual([]);
});

it("refuses our client as the original does", async () => {
  const { id } = await site.addTask();
  await expect(getTask(id, "nobody", options)).rejects.toMatchObject({
    status: 404,
    detail: "Task not found",
    upstreamStatus: 401,
  });
  const unknown = "7d3f2c1a-0000-4000-8000-0000000000ff";
  await expect(createBlankResult(unknown, site.token, options)).rejects.toMatchObject({ upstreamStatus: 400 });
});
