/** DIMSE for programs: `import { openAssociation } from "radferry/dimse"`. Everything else is free to change. */

export { type AeTitle, type DicomAddress, parseAeTitle, parseDicomAddress } from "./dicom/ae-title.ts";
export { openAssociation } from "./network/dimse/association.ts";
export {
  type CommitmentOutcome,
  type Commitments,
  type CommitmentsOptions,
  createCommitments,
} from "./network/dimse/commitments.ts";
export { startDimseServer } from "./network/dimse/server.ts";
export type {
  Association,
  AssociationOptions,
  CommitmentHandler,
  CommitmentResult,
  DimseServer,
  DimseServerOptions,
  IncomingInstance,
  InstanceSink,
  OutgoingInstance,
  ProposedContext,
  QueryRetrieveLevel,
  RetrieveResult,
  ServiceHandlers,
  SopReference,
  StoreHandler,
} from "./network/dimse/service-types.ts";
