/** The functions of ScanHub's `exam_requests` for programs: `import { getTask } from "radferry/scanhub"`. Everything else is free to change. */

export {
  createBlankResult,
  deleteBlankResult,
  type ExamRequestOptions,
  getSequence,
  getTask,
  RESULT_URI,
  SEQUENCE_URI,
  setResult,
  setTask,
  TASK_URI,
} from "./compat/scanhub/exam-requests.ts";
export {
  type ExamAnswer,
  type ExamClient,
  type ExamClientOptions,
  openExamClient,
} from "./network/rest/scanhub/exam-client.ts";
export { ScanHubError } from "./network/rest/scanhub/scanhub-error.ts";
export {
  type AcquisitionTaskOut,
  type MRISequenceOut,
  type ResultOut,
  type SetResult,
  timeOf,
} from "./network/rest/scanhub/schemas.ts";
