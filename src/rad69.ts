/** RAD-69 for programs: `import { Rad69 } from "radferry/rad69"`. Everything else is free to change. */

export { type IgnoredError, Rad69, type Rad69Options } from "./compat/rad69/rad69.ts";
export {
  type Downloadable,
  instanceReferences,
  type SeriesObject,
  type StudyObject,
} from "./compat/rad69/references.ts";
export { type VitreaSessionOptions, vitreaSession } from "./compat/rad69/vitrea-session.ts";
export {
  type Authentication,
  basicAuthentication,
  bearerAuthentication,
} from "./network/http-client/authentication.ts";
export { openHttpClient } from "./network/http-client/http-client.ts";
export type { HttpClient, HttpClientOptions } from "./network/http-client/types.ts";
export { createRad69Client, type Rad69Client, type Rad69ClientOptions } from "./network/ihe/client.ts";
export {
  DicomTrolleyError,
  NonInstanceParameterError,
  Rad69ServerError,
  type RegistryError,
  XdsMissingDocumentError,
} from "./network/ihe/errors.ts";
export type { InstanceReference } from "./network/ihe/request.ts";
export { fileSource } from "./network/ihe/responder/file-source.ts";
export type { InstanceSource, ResponderProfile, SourceInstance } from "./network/ihe/responder/plan.ts";
export { type Responder, type ResponderOptions, startRad69Responder } from "./network/ihe/responder/responder.ts";
export {
  type InstanceOutcome,
  type Retrieval,
  type RetrieveOptions,
  retrieveInstances,
} from "./network/ihe/retrieve.ts";
export type { IncomingInstance, InstanceStore } from "./network/instance-files/incoming.ts";
export type { InstanceFacts } from "./network/instance-files/inspect.ts";
export { type InstanceFolderOptions, openInstanceFolder } from "./network/instance-files/instance-folder.ts";
