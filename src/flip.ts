/** FLIP's imaging functions for programs: `import { createFlipImaging } from "radferry/flip"`. Everything else is free to change. */

export type { AccessionStatus, Bucket, ImportStatus } from "./compat/flip/buckets.ts";
export type { Completeness } from "./compat/flip/completeness.ts";
export {
  createEnvelopes,
  type EnvelopeContext,
  EnvelopeError,
  type Envelopes,
  type Keyring,
  SHARED_KEY_ID,
} from "./compat/flip/envelope.ts";
export { AlreadyExistsError, FileNotFoundError, HttpError, PathTraversalError } from "./compat/flip/errors.ts";
export type { AccessionProblem } from "./compat/flip/find-studies.ts";
export {
  createFlipImaging,
  type ExplainedStatus,
  type FlipImaging,
  type RetrievalOptions,
} from "./compat/flip/flip-imaging.ts";
export type { RetrievalReport } from "./compat/flip/retrieval.ts";
export type { FlipWorld } from "./compat/flip/services.ts";
export type { ScanPlace, UploadRequest } from "./compat/flip/upload.ts";
export type { XnatAuthHeaders } from "./compat/flip/xnat.ts";
