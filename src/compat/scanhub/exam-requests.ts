import {
  type ExamClient,
  type ExamClientOptions,
  openExamClient,
  USUAL_EXAM_URL,
} from "../../network/rest/scanhub/exam-client.ts";
import type { AcquisitionTaskOut, MRISequenceOut, ResultOut, SetResult } from "../../network/rest/scanhub/schemas.ts";

export const TASK_URI = `${USUAL_EXAM_URL}/task`;
export const RESULT_URI = `${USUAL_EXAM_URL}/result`;
export const SEQUENCE_URI = `${USUAL_EXAM_URL}/sequence`;

/** Beyond the original's parameters. */
export interface ExamRequestOptions extends ExamClientOptions {
  readonly signal?: AbortSignal;
}

/** One call by a connection of its own, as the original's. */
async function once<T>(options: ExamRequestOptions, call: (client: ExamClient) => Promise<T>): Promise<T> {
  await using client = openExamClient(options);
  return await call(client);
}

/** @throws ScanHubError 404, or 400 when it is no acquisition task */
export function getTask(
  taskId: string,
  userAccessToken: string,
  options: ExamRequestOptions = {},
): Promise<AcquisitionTaskOut> {
  return once(options, async (client) => (await client.getTask(taskId, userAccessToken, options.signal)).value);
}

/** Replaces the whole task: give what `getTask` gave, changed. @throws ScanHubError 400 */
export function setTask(
  taskId: string,
  payload: AcquisitionTaskOut,
  userAccessToken: string,
  options: ExamRequestOptions = {},
): Promise<AcquisitionTaskOut> {
  return once(
    options,
    async (client) => (await client.setTask(taskId, payload, userAccessToken, options.signal)).value,
  );
}

/** @throws ScanHubError 404 */
export function getSequence(
  sequenceId: string,
  userAccessToken: string,
  options: ExamRequestOptions = {},
): Promise<MRISequenceOut> {
  return once(options, async (client) => (await client.getSequence(sequenceId, userAccessToken, options.signal)).value);
}

/** @throws ScanHubError 404 */
export function createBlankResult(
  taskId: string,
  userAccessToken: string,
  options: ExamRequestOptions = {},
): Promise<ResultOut> {
  return once(
    options,
    async (client) => (await client.createBlankResult(taskId, userAccessToken, options.signal)).value,
  );
}

/** @throws ScanHubError 404 */
export function deleteBlankResult(
  resultId: string,
  userAccessToken: string,
  options: ExamRequestOptions = {},
): Promise<void> {
  return once(options, (client) => client.deleteBlankResult(resultId, userAccessToken, options.signal));
}

/** @throws ScanHubError 400 */
export function setResult(
  resultId: string,
  payload: SetResult,
  userAccessToken: string,
  options: ExamRequestOptions = {},
): Promise<ResultOut> {
  return once(
    options,
    async (client) => (await client.setResult(resultId, payload, userAccessToken, options.signal)).value,
  );
}
