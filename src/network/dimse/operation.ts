import type { DataSet } from "../../dicom/data-set.ts";
import type { NegotiatedContext } from "../upper-layer/negotiation.ts";
import type { CommandSet } from "./command-set.ts";
import type { Message } from "./message-reader.ts";
import type { InformationModel, ServiceHandlers } from "./service-types.ts";
import type { DimseSession } from "./session.ts";

/** A C-FIND, C-MOVE or C-GET request that is being answered. */
export interface Operation {
  readonly session: DimseSession;
  readonly context: NegotiatedContext;
  readonly model: InformationModel;
  readonly message: Message;
  readonly identifier: DataSet;
  readonly handlers: ServiceHandlers;
  /** Aborted by C-CANCEL and by the end of the association. */
  readonly signal: AbortSignal;
}

/** The last answer of an operation. */
export interface FinalResponse {
  readonly answer: CommandSet & { readonly status: number };
  readonly dataSet?: Uint8Array;
}
