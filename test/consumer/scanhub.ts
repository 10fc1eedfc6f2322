import { GatewayError } from "radferry";
import {
  type AcquisitionTaskOut,
  createBlankResult,
  deleteBlankResult,
  getSequence,
  getTask,
  type MRISequenceOut,
  RESULT_URI,
  type ResultOut,
  ScanHubError,
  SEQUENCE_URI,
  type SetResult,
  setResult,
  setTask,
  TASK_URI,
} from "radferry/scanhub";
import { answer } from "./refusals.ts";

const { TASK = "", TOKEN = "", EXAM = "" } = process.env;
const options = { url: EXAM };

const task: AcquisitionTaskOut = await getTask(TASK, TOKEN, options);
const sequence: MRISequenceOut = await getSequence(task.sequence_id ?? "", TOKEN, options);
const blank: ResultOut = await createBlankResult(TASK, TOKEN, options);
const payload: SetResult = { type: "MRD", directory: "/data/x", files: ["a.mrd"], meta: { snr: 12 } };
const result: ResultOut = await setResult(blank.id, payload, TOKEN, options);
await deleteBlankResult(result.id, TOKEN, options);
const finished: AcquisitionTaskOut = await setTask(
  TASK,
  { ...task, status: "FINISHED", progress: 100 },
  TOKEN,
  options,
);

const refused = await getTask(TASK, "nobody", options).catch((thrown: unknown) => thrown);
if (!(refused instanceof ScanHubError)) throw new Error("nobody may read a task");
const { op, status, detail, upstreamStatus, retryable } = refused;

answer({
  sequence: sequence.name,
  files: result.files,
  status: finished.status,
  refused: { op, status, detail, upstreamStatus, retryable, isGateways: refused instanceof GatewayError },
  uris: [TASK_URI, RESULT_URI, SEQUENCE_URI],
});
