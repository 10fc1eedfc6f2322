/** Tasks and results have UUIDs, sequences MongoDB's ids. Nothing else gets into a path. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const OBJECT_ID = /^[0-9a-f]{24}$/i;

/** The functions of ScanHub's `exam_requests`: what they ask, the one status that counts, and what they raise for every other. */
export const OPERATIONS = {
  get_task: { method: "GET", path: "task", id: UUID, success: 200, status: 404, detail: "Task not found" },
  set_task: { method: "PUT", path: "task", id: UUID, success: 200, status: 400, detail: "Error updating task" },
  get_sequence: {
    method: "GET",
    path: "sequence",
    id: OBJECT_ID,
    success: 200,
    status: 404,
    detail: "Sequence not found",
  },
  create_blank_result: {
    method: "POST",
    path: "result",
    id: UUID,
    success: 201,
    status: 404,
    detail: "Could not create blank result.",
  },
  delete_blank_result: {
    method: "DELETE",
    path: "result",
    id: UUID,
    success: 204,
    status: 404,
    detail: "Could not delete result.",
  },
  set_result: { method: "PUT", path: "result", id: UUID, success: 200, status: 400, detail: "Error updating result" },
} as const;

export type Operation = keyof typeof OPERATIONS;
