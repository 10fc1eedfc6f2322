/** DICOMweb for programs: `import { searchDicomWeb } from "radferry/dicomweb"`. Everything else is free to change. */

export type { QueryLevel, SearchScope, WadoTarget } from "./network/dicomweb/resource.ts";
export { type RetrievedInstance, type RetrieveOptions, retrieveDicomWeb } from "./network/dicomweb/retrieve.ts";
export { type Search, searchDicomWeb } from "./network/dicomweb/search.ts";
export { searchOf } from "./network/dicomweb/search-of-identifier.ts";
export {
  type FailedInstance,
  type OutgoingInstance,
  type StoreAnswer,
  type StoreOptions,
  storeDicomWeb,
} from "./network/dicomweb/store.ts";
export { basicAuthentication, bearerAuthentication } from "./network/http-client/authentication.ts";
export { openHttpClient } from "./network/http-client/http-client.ts";
export type { HttpClient, HttpClientOptions, HttpTimeouts } from "./network/http-client/types.ts";
